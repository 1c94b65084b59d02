// The best rows of a scan, kept under a total order, so that any split of the work gives the same.
#ifndef CORVID_SEGMENT_READ_SHORTLIST_H_
#define CORVID_SEGMENT_READ_SHORTLIST_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "simd/top_k.h"

namespace corvid {

constexpr uint32_t kUnknownList = UINT32_MAX;

struct Candidate {
  float score;
  uint32_t list;  // the row's, or kUnknownList
  uint64_t row;
};

// By score descending, then row ascending. Scores are never NaN. (A type, not a function, so that
// sorting has it inlined.)
struct Better {
  bool operator()(const Candidate& a, const Candidate& b) const {
    return a.score > b.score || (a.score == b.score && a.row < b.row);
  }
};

// Keeps the best `limit` of the rows offered. Rows are gathered without order until there are twice
// as many as wanted (and some), and then cut, so that a row costs a store, not a heap.
class Shortlist {
 public:
  explicit Shortlist(size_t limit) : limit_(limit), cut_at_(2 * limit + kSlack) {}

  // Forgets everything; keeps the memory.
  void reset(size_t limit) {
    limit_ = limit;
    cut_at_ = 2 * limit + kSlack;
    count_ = 0;
    worst_ = -std::numeric_limits<float>::infinity();
  }

  size_t size() const { return count_; }
  // No row with a score below this can be among the best.
  float worst_score() const { return worst_; }

  // Room for `rows` more candidates; they are written there and then taken by `take`.
  Candidate* room(size_t rows) {
    if (candidates_.size() < count_ + rows) candidates_.resize(count_ + rows + cut_at_);
    return candidates_.data() + count_;
  }
  void take(size_t rows) {
    count_ += rows;
    if (count_ >= cut_at_) cut();
  }

  // The best, at most `limit`, in the order in which they were taken.
  void best(std::vector<Candidate>* out) {
    if (count_ > limit_) cut();
    out->assign(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(count_));
  }

  // The best, in order; at most `limit`. Nothing can be offered afterwards, before a reset.
  const std::vector<Candidate>& sorted() {
    if (count_ > limit_) cut();
    candidates_.resize(count_);
    std::sort(candidates_.begin(), candidates_.end(), Better());
    return candidates_;
  }

 private:
  static constexpr size_t kSlack = 64;

  // Leaves the order, so that rows of a list stay together: what comes next goes list by list.
  void cut() {
    if (limit_ == 0) {
      count_ = 0;
      worst_ = std::numeric_limits<float>::infinity();
      return;
    }
    if (count_ <= limit_) return;
    scores_.resize(count_);
    for (size_t i = 0; i < count_; ++i) scores_[i] = candidates_[i].score;
    worst_ = nth_largest_.find(scores_.data(), count_, limit_);
    size_t kept = 0;
    for (size_t i = 0; i < count_; ++i) {
      const Candidate own = candidates_[i];
      candidates_[kept] = own;
      kept += own.score >= worst_;
    }
    count_ = kept;
    if (count_ > limit_) drop_tied(count_ - limit_);
  }

  // Drops so many of the rows that score worst_: the last ones.
  void drop_tied(size_t excess) {
    tied_.clear();
    for (size_t i = 0; i < count_; ++i) {
      if (candidates_[i].score == worst_) tied_.push_back(candidates_[i].row);
    }
    const auto first = tied_.end() - static_cast<std::ptrdiff_t>(excess);
    std::nth_element(tied_.begin(), first, tied_.end());
    const uint64_t first_dropped = *first;
    const auto dropped = [&](const Candidate& own) {
      return own.score == worst_ && own.row >= first_dropped;
    };
    const auto all = candidates_.begin(), end = all + static_cast<std::ptrdiff_t>(count_);
    count_ = static_cast<size_t>(std::remove_if(all, end, dropped) - all);
  }

  size_t limit_;
  size_t cut_at_;
  size_t count_ = 0;
  float worst_ = -std::numeric_limits<float>::infinity();
  std::vector<Candidate> candidates_;
  std::vector<float> scores_;
  std::vector<uint64_t> tied_;
  NthLargest nth_largest_;
};

}  // namespace corvid

#endif  // CORVID_SEGMENT_READ_SHORTLIST_H_
