// Matrix products by several threads, for benches and the synthetic generator.
#ifndef CORVID_BENCH_PARALLEL_GEMM_H_
#define CORVID_BENCH_PARALLEL_GEMM_H_

#include <algorithm>
#include <cstddef>

#include "base/threads.h"
#include "simd/contract.h"

namespace corvid {

// As Kernels::gemm_nt with this machine's kernels, rows of C shared by `threads` threads in shares
// of whole tiles, so that results do not depend on the number of threads.
inline void parallel_gemm_nt(size_t threads, size_t m, size_t n, size_t k, const float* a,
                             size_t lda, const float* b, size_t ldb, float* c, size_t ldc,
                             bool accumulate) {
  constexpr size_t kShareRows = 32 * kGemmRows;
  const auto gemm = kernels().gemm_nt;
  parallel_for((m + kShareRows - 1) / kShareRows, threads, [&](size_t share, size_t) {
    const size_t first = share * kShareRows;
    const size_t rows = std::min(kShareRows, m - first);
    gemm(rows, n, k, a + first * lda, lda, b, ldb, c + first * ldc, ldc, accumulate);
  });
}

}  // namespace corvid

#endif  // CORVID_BENCH_PARALLEL_GEMM_H_
