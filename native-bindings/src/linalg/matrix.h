// Small operations on row-major float matrices.
#ifndef CORVID_LINALG_MATRIX_H_
#define CORVID_LINALG_MATRIX_H_

#include <algorithm>
#include <cstddef>
#include <vector>

#include "simd/contract.h"

namespace corvid {

// out (columns x rows, leading dimension out_stride) = transpose of `in` (rows x columns, leading
// dimension in_stride).
inline void transpose(const float* in, size_t rows, size_t columns, size_t in_stride, float* out,
                      size_t out_stride) {
  constexpr size_t kTile = 16;  // a tile of each matrix fits the first-level cache
  for (size_t r0 = 0; r0 < rows; r0 += kTile) {
    for (size_t c0 = 0; c0 < columns; c0 += kTile) {
      const size_t r1 = std::min(rows, r0 + kTile), c1 = std::min(columns, c0 + kTile);
      for (size_t c = c0; c < c1; ++c) {
        for (size_t r = r0; r < r1; ++r) out[c * out_stride + r] = in[r * in_stride + c];
      }
    }
  }
}

// sum (dims x dims, symmetric) += Σ over rows of x xᵀ.
inline void add_outer_products(const float* x, size_t rows, size_t dims, float* sum) {
  constexpr size_t kChunkRows = 1024;
  constexpr size_t kTile = 128;  // rows per product; the upper triangle mirrors the lower
  std::vector<float> columns(dims * std::min(rows, kChunkRows));
  for (size_t first = 0; first < rows; first += kChunkRows) {
    const size_t count = std::min(kChunkRows, rows - first);
    transpose(x + first * dims, count, dims, dims, columns.data(), count);
    for (size_t i = 0; i < dims; i += kTile) {
      const size_t height = std::min(kTile, dims - i);
      kernels().gemm_nt(height, i + height, count, &columns[i * count], count, columns.data(),
                        count, sum + i * dims, dims, true);
    }
  }
  for (size_t i = 0; i < dims; ++i) {
    for (size_t j = i + 1; j < dims; ++j) sum[i * dims + j] = sum[j * dims + i];
  }
}

inline float squared_length(const float* x, size_t dims) { return kernels().dot(x, x, dims); }

}  // namespace corvid

#endif  // CORVID_LINALG_MATRIX_H_
