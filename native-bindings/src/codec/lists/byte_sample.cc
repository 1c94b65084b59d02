#include "codec/lists/byte_sample.h"

#include <algorithm>

#include "codec/format/panels.h"
#include "simd/contract.h"

namespace corvid {

ByteSample::ByteSample(size_t capacity, size_t dims, size_t padded_dims)
    : dims_(dims), padded_dims_(padded_dims) {
  bytes_.reserve(capacity * dims);
  scales_.reserve(capacity);
}

void ByteSample::add(const float* x, size_t count) {
  for (size_t r = 0; r < count; ++r) {
    bytes_.resize(bytes_.size() + dims_);
    scales_.push_back(quantise(x + r * dims_, dims_, &bytes_[bytes_.size() - dims_]));
  }
}

void ByteSample::row(size_t index, float* out) const {
  kernels().loops->bytes_to_floats(&bytes_[index * dims_], scales_[index], dims_, out);
  std::fill(out + dims_, out + padded_dims_, 0.0f);
}

}  // namespace corvid
