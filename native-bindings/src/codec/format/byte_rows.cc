#include "codec/format/byte_rows.h"

#include "linalg/matrix.h"
#include "simd/contract.h"

namespace corvid {

void ByteRows::set(size_t row, const float* x) {
  thread_local std::vector<float> centered;
  centered.resize(dims_);
  for (size_t d = 0; d < dims_; ++d) centered[d] = x[d] - mean_[d];
  scales_[row] = quantise_row(centered.data(), dims_, &bytes_[row * depth()]);
  mean_products_[row] = kernels().dot(centered.data(), mean_, dims_);
  squares_[row] = squared_length(x, dims_);
}

}  // namespace corvid
