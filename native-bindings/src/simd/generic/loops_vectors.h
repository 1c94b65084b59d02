// Loops over vectors: their lengths and extremes, linear algebra, bytes and integer products.
// Included by loops.h.
#ifndef CORVID_SIMD_GENERIC_LOOPS_VECTORS_H_
#define CORVID_SIMD_GENERIC_LOOPS_VECTORS_H_

#include "simd/generic/lanes.h"

namespace corvid {
namespace {

// Independent partial sums, so that additions do not wait for one another.
double squared_norm(const float* x, size_t dims) {
  constexpr size_t kSums = 16;
  double sums[kSums] = {};
  const size_t main = dims / kSums * kSums;
  for (size_t d = 0; d < main; d += kSums) {
    for (size_t i = 0; i < kSums; ++i) sums[i] += (double)x[d + i] * x[d + i];
  }
  for (size_t d = main; d < dims; ++d) sums[d - main] += (double)x[d] * x[d];
  double all = 0;
  for (size_t i = 0; i < kSums; ++i) all += sums[i];
  return all;
}

void scale(float* x, size_t dims, double factor) {
  for (size_t d = 0; d < dims; ++d) x[d] = (float)(x[d] * factor);
}

float largest_size(const float* x, size_t dims) {
  FloatVector high{}, low{};
  size_t d = 0;
  for (; d + kWidth <= dims; d += kWidth) {
    const FloatVector here = load(x + d);
    high = here > high ? here : high;
    low = here < low ? here : low;
  }
  float largest = 0;
  for (size_t i = 0; i < kWidth; ++i) {
    const float size = high[i] > -low[i] ? high[i] : -low[i];
    largest = size > largest ? size : largest;
  }
  for (; d < dims; ++d) {
    const float size = x[d] < 0 ? -x[d] : x[d];
    largest = size > largest ? size : largest;
  }
  return largest;
}

Extremes extremes(const float* x, size_t count) {
  FloatVector least = FloatVector{} + x[0], largest = least;
  size_t d = 0;
  for (; d + kWidth <= count; d += kWidth) {
    const FloatVector here = load(x + d);
    least = here < least ? here : least;
    largest = here > largest ? here : largest;
  }
  Extremes all{x[0], x[0]};
  for (size_t i = 0; i < kWidth; ++i) {
    all.least = least[i] < all.least ? least[i] : all.least;
    all.largest = largest[i] > all.largest ? largest[i] : all.largest;
  }
  for (; d < count; ++d) {
    all.least = x[d] < all.least ? x[d] : all.least;
    all.largest = x[d] > all.largest ? x[d] : all.largest;
  }
  return all;
}

// Without a branch per element.
bool all_finite(const float* x, size_t count) {
  constexpr uint32_t kExponent = 0x7F800000;
  uint32_t not_finite = 0;
  for (size_t i = 0; i < count; ++i) {
    uint32_t bits;
    memcpy(&bits, x + i, sizeof bits);
    not_finite |= (bits & kExponent) == kExponent;
  }
  return not_finite == 0;
}

void column_maxima(const float* x, size_t count, size_t columns, float* maxima) {
  memcpy(maxima, x, columns * sizeof(float));
  for (size_t first = columns; first < count; first += columns) {
    const size_t here = count - first < columns ? count - first : columns;
    for (size_t c = 0; c < here; ++c) {
      maxima[c] = x[first + c] > maxima[c] ? x[first + c] : maxima[c];
    }
  }
}

float ranked(const float* x, size_t rank) {
  const float removed = -__builtin_inff();
  float left[kLanes], largest = removed;
  for (size_t i = 0; i < kLanes; ++i) left[i] = x[i];
  for (; rank > 0; --rank) {
    float fold[kLanes / 2];
    for (size_t i = 0; i < 8; ++i) fold[i] = left[i] > left[i + 8] ? left[i] : left[i + 8];
    for (size_t i = 0; i < 4; ++i) fold[i] = fold[i] > fold[i + 4] ? fold[i] : fold[i + 4];
    for (size_t i = 0; i < 2; ++i) fold[i] = fold[i] > fold[i + 2] ? fold[i] : fold[i + 2];
    largest = fold[0] > fold[1] ? fold[0] : fold[1];
    for (size_t i = 0; i < kLanes; ++i) left[i] = left[i] == largest ? removed : left[i];
  }
  return largest;
}

double dot_f64(const double* a, const double* b, size_t count) {
  double partial[8] = {};
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (size_t lane = 0; lane < 8; ++lane) partial[lane] += a[i + lane] * b[i + lane];
  }
  double sum = 0;
  for (; i < count; ++i) sum += a[i] * b[i];
  for (size_t lane = 0; lane < 8; ++lane) sum += partial[lane];
  return sum;
}

void add_scaled_f64(double* y, double s, const double* x, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] += s * x[i];
}

void add_two_scaled_f64(double* y, double s, const double* x, double t, const double* z,
                        size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] += s * x[i] + t * z[i];
}

void rotate(float* a, float* b, float cosine, float sine, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const float upper = a[i];
    const float lower = b[i];
    b[i] = sine * upper + cosine * lower;
    a[i] = cosine * upper - sine * lower;
  }
}

// Eight sums of a vector each stay in registers.
void add_weighted_rows(const float* start, const WeightedRow* rows, size_t count, size_t apart,
                       size_t sums, size_t dims, float* out) {
  constexpr size_t kSums = 8;
  for (size_t part = 0; part < dims / kPartNumbers; ++part) {
    for (size_t s = 0; s < sums; ++s) {
      for (size_t d = 0; d < kPartNumbers; d += kSums * kWidth) {
        FloatVector sum[kSums];
        CORVID_UNROLL(8)
        for (size_t i = 0; i < kSums; ++i) {
          sum[i] = load(start + part * kPartNumbers + d + i * kWidth);
        }
        for (size_t k = s * count; k < (s + 1) * count; ++k) {
          const float* row = rows[k].row + part * apart + d;
          const FloatVector weight = FloatVector{} + rows[k].weight;
          CORVID_UNROLL(8)
          for (size_t i = 0; i < kSums; ++i) sum[i] += weight * load(row + i * kWidth);
        }
        float* to = out + s * dims + part * kPartNumbers + d;
        CORVID_UNROLL(8)
        for (size_t i = 0; i < kSums; ++i) store(sum[i], to + i * kWidth);
      }
    }
  }
}

void floats_to_bytes(const float* x, size_t dims, float inverse, float offset, uint8_t* out) {
  for (size_t d = 0; d < dims; ++d) out[d] = (uint8_t)(int32_t)(x[d] * inverse + offset);
}

void bytes_to_floats(const int8_t* bytes, float scale, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = scale * (float)bytes[i];
}

void split_coarse_fine(const float* x, size_t dims, float inverse, int8_t* coarse, int8_t* fine) {
  for (size_t d = 0; d < dims; ++d) {
    // Shifted above zero, where truncation rounds down.
    constexpr int kOffset = kCoarseUnit * kCoarseUnit;
    const int integer = (int)(x[d] * inverse + (kOffset + 0.5f)) - kOffset;
    const int upper = ((integer + kOffset + kCoarseUnit / 2) >> 7) - kCoarseUnit;
    coarse[d] = (int8_t)upper;
    fine[d] = (int8_t)(integer - upper * kCoarseUnit);
  }
}

void scale_products(const int32_t* products, const float* scales, float scale, size_t count,
                    float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = scale * scales[i] * (float)products[i];
}

void join_products(const int32_t* coarse, const int32_t* fine, const float* scales, float scale,
                   size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) {
    out[i] = scale * scales[i] * ((float)kCoarseUnit * (float)coarse[i] + (float)fine[i]);
  }
}

void score_products(const int32_t* products, float scale, const float* scales,
                    const float* half_norms, size_t width, float* scores, float* largest) {
  FloatVector runs[kVectors];
  CORVID_UNROLL(4)
  for (size_t i = 0; i < kVectors; ++i) runs[i] = FloatVector{} - __builtin_inff();
  for (size_t first = 0; first < width; first += kLanes) {
    CORVID_UNROLL(4)
    for (size_t i = 0; i < kVectors; ++i) {
      const size_t v = first + i * kWidth;
      const FloatVector product = __builtin_convertvector(load(products + v), FloatVector);
      const FloatVector score = scale * load(scales + v) * product - load(half_norms + v);
      store(score, scores + v);
      runs[i] = score > runs[i] ? score : runs[i];
    }
  }
  CORVID_UNROLL(4)
  for (size_t i = 0; i < kVectors; ++i) store(runs[i], largest + i * kWidth);
}

void products_to_lanes(const int32_t* products, size_t width, const float* row_scales,
                       const float* scales, const float* start, size_t vectors, size_t rows,
                       float* out, size_t stride) {
  for (size_t v = 0; v < vectors; ++v) {
    float* to = out + v * stride;
    float lanes[kLanes];
    for (size_t i = 0; i < kLanes; ++i) lanes[i] = (float)products[i * width + v];
    for (size_t i = 0; i < kLanes; ++i) lanes[i] *= row_scales[i] * scales[v];
    if (rows < kLanes) {
      for (size_t i = 0; i < rows; ++i) to[i] = (start == nullptr ? to[i] : start[v]) + lanes[i];
    } else if (start == nullptr) {
      for (size_t i = 0; i < kLanes; ++i) to[i] += lanes[i];
    } else {
      for (size_t i = 0; i < kLanes; ++i) to[i] = start[v] + lanes[i];
    }
  }
}

}  // namespace
}  // namespace corvid

#endif  // CORVID_SIMD_GENERIC_LOOPS_VECTORS_H_
