#include "codec/format/normalize.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"
#include "simd/contract.h"

namespace corvid {
namespace {

void scale_to_unit(float* rows_at, size_t rows, size_t dims) {
  const Loops& loops = *kernels().loops;
  for (size_t row = 0; row < rows; ++row) {
    float* x = rows_at + row * dims;
    const double squared = loops.squared_norm(x, dims);
    if (!(squared > 0) || !std::isfinite(squared)) {
      throw Error("ERR_VECTOR_INVALID", "vector " + std::to_string(row) + " cannot be searched")
          .expected("finite numbers that are not all zero")
          .actual(squared == 0 ? "a vector of length zero" : "NaN or infinity")
          .hint("remove or repair that vector");
    }
    const double factor = 1 / std::sqrt(squared);
    loops.scale(x, dims, factor);
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
