// Early termination of a scan that visits lists in order of similarity.
#ifndef CORVID_SEGMENT_READ_STOP_H_
#define CORVID_SEGMENT_READ_STOP_H_

#include <array>
#include <cstddef>
#include <limits>

namespace corvid {

// Estimates, before each list, the odds that the list holds one of the query's best rows. A
// logistic model of three features: the number of lists before it, how many of the last ones did
// not change the best ten, and how much less similar the list is than the first.
class StopRule {
 public:
  explicit StopRule(float min_log_odds) : min_log_odds_(min_log_odds) {}

  // False if the rule never ends a scan.
  bool active() const { return min_log_odds_ > -std::numeric_limits<float>::infinity(); }

  // Whether to end the scan before the list with this similarity. To be called once for each list,
  // starting with the first.
  bool ends_before(float similarity);
  // Records a row of this score.
  void offer(float score) {
    if (score > best_[0]) insert(score);
  }

 private:
  void insert(float score);

  static constexpr size_t kBest = 10;

  float min_log_odds_;
  size_t lists_ = 0;                         // scanned so far
  size_t unchanged_ = 0;                     // the last lists that did not change best_
  bool changed_ = false;                     // whether the last list changed best_
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
