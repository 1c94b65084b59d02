#include "order.h"

#include "codec/wide.h"

namespace corvid {

CORVID_WIDE Extremes extremes_of(const float* numbers, size_t count) {
  FloatLanes least = FloatLanes{} + numbers[0], largest = least;
  size_t first = 0;
  for (; first + kLanes <= count; first += kLanes) {
    FloatLanes own;
    std::memcpy(&own, numbers + first, sizeof own);
    least = own < least ? own : least;
    largest = own > largest ? own : largest;
  }
  Extremes all{numbers[0], numbers[0]};
  const auto take = [&](float low, float high) {
    all.least = low < all.least ? low : all.least;
    all.largest = high > all.largest ? high : all.largest;
  };
  for (size_t i = 0; i < kLanes; ++i) take(least[i], largest[i]);
  for (; first < count; ++first) take(numbers[first], numbers[first]);
  return all;
}

}  // namespace corvid
