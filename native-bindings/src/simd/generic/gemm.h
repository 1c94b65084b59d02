// Matrix products for training and encoding: packing and blocking around one micro-kernel per
// instruction set, after Goto and van de Geijn, "Anatomy of high-performance matrix multiplication"
// (2008). The order of summation is that of Kernels::gemm_nt, whatever the micro-kernel's tile.
#ifndef CORVID_SIMD_GENERIC_GEMM_H_
#define CORVID_SIMD_GENERIC_GEMM_H_

#include <cstddef>

namespace corvid {

// A micro-kernel and the size of the tile of C that it computes in registers.
struct GemmTile {
  size_t rows;     // of A, a divisor of kGemmRows
  size_t columns;  // rows of B, a divisor of kGemmColumns
  // c (rows x columns, row stride ldc) = a * b, plus c if `accumulate`, with a packed as
  // depth x rows and b packed as depth x columns, both 64-byte aligned: one chain of fused
  // multiply-adds per element, depth ascending.
  void (*multiply)(size_t depth, const float* a, const float* b, float* c, size_t ldc,
                   bool accumulate);
  // Packs four rows of `depth` floats (row stride `stride`) side by side:
  // to[d * width + r] = from[r * stride + d].
  void (*transpose)(const float* from, size_t stride, size_t depth, float* to, size_t width);
};

// Kernels::gemm_nt by the micro-kernel `tile`.
void gemm_nt_blocked(const GemmTile& tile, size_t m, size_t n, size_t k, const float* a, size_t lda,
                     const float* b, size_t ldb, float* c, size_t ldc, bool accumulate);

}  // namespace corvid

#endif  // CORVID_SIMD_GENERIC_GEMM_H_
