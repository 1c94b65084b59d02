#include "codec/projection.h"

#include <algorithm>

#include "codec/eigen.h"
#include "codec/matrix.h"

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

Projector::Projector(const float* directions, size_t kept, const float* mean, size_t dims)
    : kept_(kept), dims_(dims), mean_(mean, mean + dims), panels_(directions, kept, dims) {}

void Projector::project(const float* x, size_t rows, float* out) const {
  constexpr size_t kChunkRows = 24;
  const size_t depth = panels_.depth(), width = panels_.width();
  std::vector<uint8_t> bytes(kChunkRows * depth);
  std::vector<int32_t> products(kChunkRows * width);
  std::vector<float> centered(dims_);
  float scales[kChunkRows];
  for (size_t first = 0; first < rows; first += kChunkRows) {
    const size_t count = std::min(kChunkRows, rows - first);
    for (size_t r = 0; r < count; ++r) {
      const float* row = x + (first + r) * dims_;
      for (size_t d = 0; d < dims_; ++d) centered[d] = row[d] - mean_[d];
      scales[r] = quantise_row(centered.data(), dims_, &bytes[r * depth]);
    }
    panels_.products(bytes.data(), count, products.data());
    for (size_t r = 0; r < count; ++r) {
      for (size_t k = 0; k < kept_; ++k) {
        out[(first + r) * kept_ + k] =
            scales[r] * panels_.scales()[k] * static_cast<float>(products[r * width + k]);
      }
    }
  }
}

}  // namespace corvid
