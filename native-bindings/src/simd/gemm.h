// Matrix products for training and encoding: packing and blocking around one micro-kernel per
// instruction set, after Goto and van de Geijn, "Anatomy of high-performance matrix multiplication"
// (2008). Sums of one output run over k in ascending blocks, so results do not depend on threads.
#ifndef CORVID_SIMD_GEMM_H_
#define CORVID_SIMD_GEMM_H_

#include <cstddef>

namespace corvid {

// A micro-kernel and the size of the tile of C that it computes in registers.
struct GemmTile {
  size_t rows;     // of A, at most kMaxTileRows
  size_t columns;  // rows of B, at most kMaxTileColumns
  // c (rows x columns, row stride ldc) = a * b, plus c if `accumulate`, with a packed as
  // depth x rows and b packed as depth x columns, both 64-byte aligned.
  void (*multiply)(size_t depth, const float* a, const float* b, float* c, size_t ldc,
                   bool accumulate);
  // Packs four rows of `depth` numbers (row stride `stride`) side by side:
  // to[d * width + r] = from[r * stride + d].
  void (*transpose)(const float* from, size_t stride, size_t depth, float* to, size_t width);
};

constexpr size_t kMaxTileRows = 16;
constexpr size_t kMaxTileColumns = 64;

// As Kernels::gemm_nt, by `tile`.
void gemm_nt_blocked(const GemmTile& tile, size_t m, size_t n, size_t k, const float* a, size_t lda,
                     const float* b, size_t ldb, float* c, size_t ldc, bool accumulate);

// As Kernels::gemm_nt with this machine's kernels, rows of C shared by `threads` threads.
void parallel_gemm_nt(size_t threads, size_t m, size_t n, size_t k, const float* a, size_t lda,
                      const float* b, size_t ldb, float* c, size_t ldc, bool accumulate);

}  // namespace corvid

#endif  // CORVID_SIMD_GEMM_H_
