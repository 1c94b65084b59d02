// The best rows of a scan, kept under a total order, so that any split of the work gives the same.
#ifndef CORVID_SEGMENT_SHORTLIST_H_
#define CORVID_SEGMENT_SHORTLIST_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace corvid {

struct Candidate {
  float score;
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

  // The best, at most `limit`, in no order.
  void best(std::vector<Candidate>* out) {
    if (count_ > limit_) cut();
    out->assign(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(count_));
  }

  // The best, in order; at most `limit`.
  const std::vector<Candidate>& sorted() {
    if (count_ > limit_) cut();
    candidates_.resize(count_);
    std::sort(candidates_.begin(), candidates_.end(), Better());
    return candidates_;
  }

 private:
  static constexpr size_t kSlack = 64;

  void cut() {
    if (limit_ == 0) {
      count_ = 0;
      worst_ = std::numeric_limits<float>::infinity();
      return;
    }
    if (count_ <= limit_) return;
    std::nth_element(candidates_.begin(), candidates_.begin() + limit_ - 1,
                     candidates_.begin() + count_, Better());
    count_ = limit_;
    worst_ = candidates_[limit_ - 1].score;
  }

  size_t limit_;
  size_t cut_at_;
  size_t count_ = 0;
  float worst_ = -std::numeric_limits<float>::infinity();
  std::vector<Candidate> candidates_;
};

}  // namespace corvid

#endif  // CORVID_SEGMENT_SHORTLIST_H_
