#include "codec/format/projector.h"

#include <algorithm>

#include "simd/contract.h"

namespace corvid {

Projector::Projector(const PanelSpan& directions, const float* mean, size_t dims)
    : panels_(directions), offsets_(directions.count()) {
  std::vector<float> direction(dims);
  for (size_t k = 0; k < kept(); ++k) {
    directions.read(k, dims, direction.data());
    offsets_[k] = kernels().dot(direction.data(), mean, dims);
  }
}

void Projector::project_lanes(const ByteRows& rows, const uint32_t* numbers, size_t count,
                              float* out, size_t stride) const {
  thread_local AlignedVector<uint8_t> bytes;
  thread_local std::vector<float> scales;
  bytes.resize(count * rows.depth());
  scales.resize(count);
  constexpr size_t kAhead = 8;
  for (size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) rows.fetch(numbers[i + kAhead]);
    std::copy_n(rows.bytes(numbers[i]), rows.depth(), &bytes[i * rows.depth()]);
    scales[i] = rows.scale(numbers[i]);
  }
  panels_.lanes(bytes.data(), scales.data(), count, offsets_.data(), out, stride);
}

}  // namespace corvid
