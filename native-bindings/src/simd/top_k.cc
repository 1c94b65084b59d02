#include "simd/top_k.h"

#include <algorithm>
#include <functional>

namespace corvid {

void KeySorter::sort(std::vector<uint64_t>& keys) {
  // Fewer keys are sorted as fast without bins; a bin with more is sorted faster by the library.
  constexpr size_t kFew = 24, kMostInBin = 24;
  const auto library_sort = [](uint64_t* first, uint64_t* last) {
    std::sort(first, last, std::greater<uint64_t>());
  };
  const size_t count = keys.size();
  values_.resize(count);
  for (size_t i = 0; i < count; ++i)
    values_[i] = value_of_bits(static_cast<uint32_t>(keys[i] >> 32));
  const auto [low, high] =
      count < kFew ? Extremes{0, 0} : kernels().loops->extremes(values_.data(), count);
  const float width = (high - low) / kBins;
  if (!(width > 0)) return library_sort(keys.data(), keys.data() + count);
  const float inverse = 1 / width;
  places_.resize(count);
  ends_.fill(0);
  for (size_t i = 0; i < count; ++i) {
    // Non-increasing in the value despite rounding: the largest values go to the first bin.
    const float place = (high - values_[i]) * inverse;
    places_[i] = static_cast<uint8_t>(place < kBins ? place : kBins - 1);
    ++ends_[places_[i] + 1];
  }
  const uint32_t most = *std::max_element(ends_.begin(), ends_.end());
  for (size_t bin = 0; bin < kBins; ++bin) ends_[bin + 1] += ends_[bin];
  sorted_.resize(count);
  // While a bin is filled, ends_[bin] advances from its first position to its end.
  for (size_t i = 0; i < count; ++i) sorted_[ends_[places_[i]]++] = keys[i];
  keys.swap(sorted_);
  if (most > kMostInBin) {
    for (size_t bin = 0; bin < kBins; ++bin) {
      library_sort(keys.data() + (bin == 0 ? 0 : ends_[bin - 1]), keys.data() + ends_[bin]);
    }
    return;
  }
  for (size_t i = 1; i < count; ++i) {
    const uint64_t key = keys[i];
    size_t to = i;
    for (; to > 0 && keys[to - 1] < key; --to) keys[to] = keys[to - 1];
    keys[to] = key;
  }
}

}  // namespace corvid
