// Ordering floats without unpredictable branches: keys that sort as integers, and selection of the
// n-th largest by counting. Memory is reused between calls.
#ifndef CORVID_SIMD_TOP_K_H_
#define CORVID_SIMD_TOP_K_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "simd/contract.h"

namespace corvid {

// a < b if and only if ascending_bits(a) < ascending_bits(b), except that -0 orders before 0. Not
// for NaN.
inline uint32_t ascending_bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t sign = bits >> 31;
  return bits ^ (uint32_t{0x80000000} | (0 - sign));
}
// The value whose ascending_bits are `bits`.
inline float value_of_bits(uint32_t bits) {
  const uint32_t sign = 1 - (bits >> 31);
  bits ^= uint32_t{0x80000000} | (0 - sign);
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Finds the n-th largest of many numbers: counts them in bins of equal width, then selects within
// the bin that holds it.
class NthLargest {
 public:
  // The n-th largest, 1 <= n <= count; no number may be NaN or infinite.
  float find(const float* numbers, size_t count, size_t n) {
    const auto [low, high] = kernels().loops->extremes(numbers, count);
    const float width = (high - low) / kBins;
    if (!(width > 0)) return low;
    const float inverse = 1 / width;
    counts_.fill(0);
    places_.resize(count);
    for (size_t i = 0; i < count; ++i) {
      // Non-decreasing in the number despite rounding, so bins are in order.
      const float place = (numbers[i] - low) * inverse;
      places_[i] = static_cast<uint16_t>(place < kBins ? place : kBins - 1);
      ++counts_[places_[i]];
    }
    size_t bin = counts_.size() - 1, above = 0;
    while (above + counts_[bin] < n) above += counts_[bin--];
    inside_.clear();
    for (size_t i = 0; i < count; ++i) {
      if (places_[i] == bin) inside_.push_back(numbers[i]);
    }
    const auto place = inside_.begin() + static_cast<std::ptrdiff_t>(n - above - 1);
    std::nth_element(inside_.begin(), place, inside_.end(), std::greater<float>());
    return *place;
  }

 private:
  static constexpr int kBins = 256;

  std::array<uint32_t, kBins> counts_;
  std::vector<uint16_t> places_;
  std::vector<float> inside_;
};

// A key whose descending order is `value` descending, then `number` ascending.
inline uint64_t descending_key(float value, uint32_t number) {
  return uint64_t{ascending_bits(value)} << 32 | (UINT32_MAX - number);
}
inline uint32_t number_of(uint64_t key) { return UINT32_MAX - static_cast<uint32_t>(key); }

// Sorts descending_key keys, largest first: distributes them by value into bins of equal width,
// then sorts within the bins.
class KeySorter {
 public:
  // No value may be NaN or infinite.
  void sort(std::vector<uint64_t>& keys);

 private:
  static constexpr size_t kBins = 256;

  std::array<uint32_t, kBins + 1> ends_;
  std::vector<uint8_t> places_;
  std::vector<float> values_;
  std::vector<uint64_t> sorted_;
};

}  // namespace corvid

#endif  // CORVID_SIMD_TOP_K_H_
