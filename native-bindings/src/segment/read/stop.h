// When a scan of lists, most similar first, has found what it will find.
#ifndef CORVID_SEGMENT_READ_STOP_H_
#define CORVID_SEGMENT_READ_STOP_H_

#include <array>
#include <cstddef>
#include <limits>

namespace corvid {

// Tells before every list how likely it is to hold one of a query's best rows, from what the lists
// before it gave: a logistic model of how many lists came before, how many of them in a row changed
// nothing among the best ten, and how much less similar this list is than the first.
class StopRule {
 public:
  explicit StopRule(float least_log_odds) : least_(least_log_odds) {}

  bool active() const { return least_ > -std::numeric_limits<float>::infinity(); }

  // Whether to end before the list with this similarity. Call it once a list, from the first on.
  bool ends_before(float similarity);
  // A row of this score was found.
  void offer(float score) {
    if (score > best_[0]) insert(score);
  }

 private:
  void insert(float score);

  static constexpr size_t kBest = 10;

  float least_;
  size_t lists_ = 0;                         // scanned so far
  size_t unchanged_ = 0;                     // of these, the last ones that changed nothing
  bool changed_ = false;                     // by the list scanned last
  float first_ = 0;                          // similarity of the first list
  std::array<float, kBest> best_ = worst();  // ascending

  static constexpr std::array<float, kBest> worst() {
    std::array<float, kBest> scores{};
    for (float& score : scores) score = -std::numeric_limits<float>::infinity();
    return scores;
  }
};

}  // namespace corvid

#endif  // CORVID_SEGMENT_READ_STOP_H_
