#include "simd/generic/gemm.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

#include "simd/contract.h"

namespace corvid {
namespace {

// Sizes of the packed blocks: depth x columns of B stay in L2, beside depth x rows of A.
constexpr size_t kDepth = kGemmDepth;
constexpr size_t kPanelColumns = 512;
constexpr size_t kPanelRows = 192;
static_assert(kPanelColumns % kGemmColumns == 0 && kPanelRows % kGemmRows == 0);

// Packing buffers of one thread, kept between calls.
class Scratch {
 public:
  float* a() { return aligned(a_, kPanelRows * kDepth); }
  float* b() { return aligned(b_, kPanelColumns * kDepth); }

 private:
  static float* aligned(std::unique_ptr<float[]>& memory, size_t count) {
    if (memory == nullptr) memory = std::make_unique<float[]>(count + 16);
    const uintptr_t address = reinterpret_cast<uintptr_t>(memory.get());
    return reinterpret_cast<float*>((address + 63) / 64 * 64);
  }
  std::unique_ptr<float[]> a_, b_;
};

// Copies `rows` rows of `depth` floats, transposed, into panels of `width` rows: each panel is
// depth x width floats; missing rows of the last panel are zero.
void pack(const GemmTile& tile, const float* from, size_t stride, size_t rows, size_t depth,
          size_t width, float* to) {
  for (size_t first = 0; first < rows; first += width, to += depth * width) {
    const size_t present = std::min(width, rows - first);
    const float* panel = from + first * stride;
    size_t r = 0;
    for (; r + 4 <= present; r += 4) {
      tile.transpose(panel + r * stride, stride, depth, to + r, width);
    }
    for (; r < width; ++r) {
      const float* source = panel + r * stride;
      for (size_t d = 0; d < depth; ++d) to[d * width + r] = r < present ? source[d] : 0;
    }
  }
}

// Multiplies a packed block of A by a packed block of B; writes the product to C (m x n) or adds
// it. What lies outside the whole kGemmRows x kGemmColumns tiles of C is summed separately,
// whatever the size of `tile`.
void multiply_panels(const GemmTile& tile, size_t m, size_t n, size_t depth, const float* a,
                     const float* b, float* c, size_t ldc, bool accumulate) {
  alignas(64) float corner[kGemmRows * kGemmColumns];
  const size_t whole_rows = m / kGemmRows * kGemmRows;
  const size_t whole_columns = n / kGemmColumns * kGemmColumns;
  for (size_t j = 0; j < n; j += tile.columns) {
    const float* b_panel = b + j * depth;
    const size_t columns = std::min(tile.columns, n - j);
    for (size_t i = 0; i < m; i += tile.rows) {
      const float* a_panel = a + i * depth;
      float* target = c + i * ldc + j;
      if (i < whole_rows && j < whole_columns) {
        tile.multiply(depth, a_panel, b_panel, target, ldc, accumulate);
        continue;
      }
      const size_t rows = std::min(tile.rows, m - i);
      tile.multiply(depth, a_panel, b_panel, corner, tile.columns, false);
      for (size_t r = 0; r < rows; ++r) {
        const float* from = corner + r * tile.columns;
        float* to = target + r * ldc;
        for (size_t s = 0; s < columns; ++s) to[s] = accumulate ? to[s] + from[s] : from[s];
      }
    }
  }
}

}  // namespace

void gemm_nt_blocked(const GemmTile& tile, size_t m, size_t n, size_t k, const float* a, size_t lda,
                     const float* b, size_t ldb, float* c, size_t ldc, bool accumulate) {
  thread_local Scratch scratch;
  if (k == 0 && !accumulate) {
    for (size_t i = 0; i < m; ++i) std::memset(c + i * ldc, 0, n * sizeof(float));
  }
  for (size_t d = 0; d < k; d += kDepth) {
    const size_t depth = std::min(kDepth, k - d);
    for (size_t j = 0; j < n; j += kPanelColumns) {
      const size_t columns = std::min(kPanelColumns, n - j);
      pack(tile, b + j * ldb + d, ldb, columns, depth, tile.columns, scratch.b());
      for (size_t i = 0; i < m; i += kPanelRows) {
        const size_t rows = std::min(kPanelRows, m - i);
        pack(tile, a + i * lda + d, lda, rows, depth, tile.rows, scratch.a());
        multiply_panels(tile, rows, columns, depth, scratch.a(), scratch.b(), c + i * ldc + j, ldc,
                        accumulate || d > 0);
      }
    }
  }
}

}  // namespace corvid
