// The logistic model behind the stop rule, and its fitted coefficients.
#include "segment/read/stop.h"

#include <cmath>
#include <vector>

namespace corvid {
namespace {

// Fitted by logistic regression, as `npm run bench -- fit stop` does it: whether a list holds one
// of the ten true neighbours. Only their proportions matter: the least log odds of a search come
// from calibration.
constexpr float kStart = 0.95f;
constexpr float kPosition = -0.65f;
constexpr float kUnchanged = -0.66f;
constexpr float kSimilarity = 20.2f;

// ln(1 + n), from a table for small n.
float log_of(size_t n) {
  static const std::vector<float> table = [] {
    std::vector<float> values(4096);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>(std::log1p(static_cast<double>(i)));
    }
    return values;
  }();
  return n < table.size() ? table[n] : static_cast<float>(std::log1p(static_cast<double>(n)));
}

}  // namespace

bool StopRule::ends_before(float similarity) {
  if (lists_ == 0) first_ = similarity;
  if (lists_ > 0) unchanged_ = changed_ ? 0 : unchanged_ + 1;
  changed_ = false;
  const float log_odds = ((kStart + kPosition * log_of(lists_)) + kUnchanged * log_of(unchanged_)) +
                         kSimilarity * (similarity - first_);
  return lists_++ > 0 && log_odds < min_log_odds_;
}

void StopRule::insert(float score) {
  changed_ = true;
  size_t i = 1;
  for (; i < kBest && best_[i] < score; ++i) best_[i - 1] = best_[i];
  best_[i - 1] = score;
}

}  // namespace corvid
