// The best rows of a scan. Their order is total, so any split of the rows gives the same shortlist.
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
  uint32_t list;  // of the row, or kUnknownList
  uint64_t row;
};

// Candidates for rows given as doubles, without scores or lists.
inline std::vector<Candidate> candidates_of(const double* row_ids, size_t count) {
  std::vector<Candidate> candidates(count);
  for (size_t i = 0; i < count; ++i) {
    candidates[i] = {0, kUnknownList, static_cast<uint64_t>(row_ids[i])};
  }
  return candidates;
}

// By score descending, then row ascending. Scores are never NaN. (A type rather than a function, so
// that std::sort inlines it.)
struct Better {
  bool operator()(const Candidate& a, const Candidate& b) const {
    return a.score > b.score || (a.score == b.score && a.row < b.row);
  }
};

// Keeps the best `limit` of all rows taken. Rows are collected unordered until there are a little
// more than twice as many, and then cut to the limit, so that a row costs a store instead of a heap
// operation.
class Shortlist {
 public:
  explicit Shortlist(size_t limit) : limit_(limit), cut_at_(2 * limit + kSlack) {}

  // Removes all rows; keeps the memory.
  void reset(size_t limit) {
    limit_ = limit;
    cut_at_ = 2 * limit + kSlack;
    count_ = 0;
    worst_ = -std::numeric_limits<float>::infinity();
  }

  size_t size() const { return count_; }
  // Rows with a lower score cannot be among the best.
  float worst_score() const { return worst_; }

  // Memory for `rows` more candidates. The caller writes some there, and then calls `take`.
  Candidate* reserve(size_t rows) {
    if (candidates_.size() < count_ + rows) candidates_.resize(count_ + rows + cut_at_);
    return candidates_.data() + count_;
  }
  // Adds the first `rows` candidates that were written to reserved memory.
  void take(size_t rows) {
    count_ += rows;
    if (count_ >= cut_at_) cut();
  }

  // The best, at most `limit`, in the order in which they were taken.
  void best(std::vector<Candidate>* out) {
    if (count_ > limit_) cut();
    out->assign(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(count_));
  }

  // The best, sorted; at most `limit`. Only reset() may be called afterwards.
  const std::vector<Candidate>& sorted() {
    if (count_ > limit_) cut();
    candidates_.resize(count_);
    std::sort(candidates_.begin(), candidates_.end(), Better());
    return candidates_;
  }

 private:
  static constexpr size_t kSlack = 64;

  // Keeps the order of the rows, so that rows of a list stay adjacent, which makes refining faster.
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
      const Candidate candidate = candidates_[i];
      candidates_[kept] = candidate;
      kept += candidate.score >= worst_;
    }
    count_ = kept;
    if (count_ > limit_) drop_tied(count_ - limit_);
  }

  // Drops `excess` of the rows whose score is worst_: those with the highest numbers.
  void drop_tied(size_t excess) {
    tied_.clear();
    for (size_t i = 0; i < count_; ++i) {
      if (candidates_[i].score == worst_) tied_.push_back(candidates_[i].row);
    }
    const auto first = tied_.end() - static_cast<std::ptrdiff_t>(excess);
    std::nth_element(tied_.begin(), first, tied_.end());
    const uint64_t first_dropped = *first;
    const auto dropped = [&](const Candidate& candidate) {
      return candidate.score == worst_ && candidate.row >= first_dropped;
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
