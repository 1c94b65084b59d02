#include "codec/format/normalize.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "base/error.h"
#include "simd/contract.h"
#include "simd/multiversioned.h"

namespace corvid {
namespace {

// Partial sums, so that the additions of one row do not wait for one another.
constexpr size_t kSums = 16;

CORVID_WIDE double squared_norm(const float* x, size_t dims) {
  double sums[kSums] = {};
  const size_t whole = dims / kSums * kSums;
  for (size_t d = 0; d < whole; d += kSums) {
    for (size_t i = 0; i < kSums; ++i) sums[i] += static_cast<double>(x[d + i]) * x[d + i];
  }
  for (size_t d = whole; d < dims; ++d) sums[d - whole] += static_cast<double>(x[d]) * x[d];
  return std::accumulate(sums, sums + kSums, 0.0);
}

CORVID_WIDE void scale(float* x, size_t dims, double factor) {
  for (size_t d = 0; d < dims; ++d) x[d] = static_cast<float>(x[d] * factor);
}

void scale_to_unit(float* rows_at, size_t rows, size_t dims) {
  for (size_t row = 0; row < rows; ++row) {
    float* x = rows_at + row * dims;
    const double squared = squared_norm(x, dims);
    if (!(squared > 0) || !std::isfinite(squared)) {
      throw Error("ERR_VECTOR_INVALID", "vector " + std::to_string(row) + " cannot be searched")
          .expected("finite numbers that are not all zero")
          .actual(squared == 0 ? "a vector of length zero" : "NaN or infinity")
          .hint("remove or repair that vector");
    }
    const double factor = 1 / std::sqrt(squared);
    scale(x, dims, factor);
  }
}

}  // namespace

void to_unit(const float* in, size_t rows, size_t dims, float* out) {
  if (in != out) std::copy(in, in + rows * dims, out);
  scale_to_unit(out, rows, dims);
}

void to_unit(const uint16_t* in, size_t rows, size_t dims, float* out) {
  kernels().half_to_float(in, out, rows * dims);
  scale_to_unit(out, rows, dims);
}

void to_unit(const int8_t* in, size_t rows, size_t dims, float* out) {
  std::transform(in, in + rows * dims, out, [](int8_t v) { return static_cast<float>(v); });
  scale_to_unit(out, rows, dims);
}

void RawVectors::unit(size_t first, size_t count, float* out) const {
  const size_t at = first * dims;
  switch (type) {
    case kFloat:
      return to_unit(static_cast<const float*>(data) + at, count, dims, out);
    case kHalf:
      return to_unit(static_cast<const uint16_t*>(data) + at, count, dims, out);
    case kByte:
      return to_unit(static_cast<const int8_t*>(data) + at, count, dims, out);
  }
}

}  // namespace corvid
