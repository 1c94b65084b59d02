#include "codec/projection.h"

#include <algorithm>

#include "codec/eigen.h"
#include "codec/matrix.h"
#include "kernels.h"

namespace corvid {

std::vector<float> principal_directions(const float* x, size_t rows, size_t dims, const float* mean,
                                        size_t kept) {
  const size_t used = std::min(rows, kPrincipalRows);
  std::vector<float> centered(used * dims);
  for (size_t i = 0; i < used; ++i) {
    const float* row = x + rows * i / used * dims;
    for (size_t d = 0; d < dims; ++d) centered[i * dims + d] = row[d] - mean[d];
  }
  std::vector<float> products(dims * dims, 0.0f);
  add_outer_products(centered.data(), used, dims, products.data());
  std::vector<float> directions = symmetric_eigen(products.data(), dims).vectors;
  directions.resize(kept * dims);
  return directions;
}

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
