// The reference: every kernel of simd/contract.h in its simplest form. All other levels are tested
// against it, bit by bit.
#include <cstring>

#include "simd/contract.h"
#include "simd/generic/crc32c.h"
#include "simd/generic/multiply_add.h"
#include "simd/levels.h"
#include "simd/trellis_values.h"

namespace corvid {
namespace {

bool kept(const uint8_t* filter, uint64_t row) {
  return filter == nullptr || (filter[row / 8] >> (row % 8) & 1) != 0;
}

uint32_t scan_tables(const ScanRange& range, const uint8_t* tables, uint32_t threshold,
                     ScanHit* hits, size_t capacity, size_t* count) {
  for (uint32_t r = 0; r < range.rows; ++r) {
    const uint64_t row = range.first_row + r;
    // A scan stops only between blocks, and enters a block only if 32 more hits fit.
    if ((r == 0 || row % kBlockRows == 0) && capacity - *count < kBlockRows) return r;
    if (!kept(range.filter, row)) continue;
    const uint8_t* lane = range.plane + row / kBlockRows * kBlockBytes + row % kBlockRows;
    uint32_t sum = 0;
    for (size_t byte = 0; byte < kPlane64Bytes; ++byte) {
      const uint8_t code = lane[byte * kBlockRows];
      sum += tables[(2 * byte) * kTableEntries + (code & 15)];
      sum += tables[(2 * byte + 1) * kTableEntries + (code >> 4)];
    }
    if (sum >= threshold) hits[(*count)++] = {sum, r};
  }
  return range.rows;
}

uint32_t bits_of(uint64_t word) {
  word -= word >> 1 & 0x5555555555555555u;
  word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
  word = (word + (word >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
  return static_cast<uint32_t>(word * 0x0101010101010101u >> 56);
}

uint32_t distance(const uint8_t* a, const uint8_t* b, size_t stride) {
  uint32_t sum = 0;
  for (size_t byte = 0; byte < stride; byte += 8) {
    uint64_t x, y;
    std::memcpy(&x, a + byte, 8);
    std::memcpy(&y, b + byte, 8);
    sum += bits_of(x ^ y);
  }
  return sum;
}

void hamming(const uint8_t* codes, size_t stride, size_t rows, const uint8_t* query,
             uint16_t* distances) {
  for (size_t r = 0; r < rows; ++r) {
    distances[r] = static_cast<uint16_t>(distance(codes + r * stride, query, stride));
  }
}

uint32_t scan_hamming(const uint8_t* codes, size_t stride, uint64_t first_row, uint32_t rows,
                      const uint8_t* query, uint32_t threshold, const uint8_t* filter,
                      ScanHit* hits, size_t capacity, size_t* count) {
  for (uint32_t r = 0; r < rows; ++r) {
    if (r % kBlockRows == 0 && capacity - *count < kBlockRows) return r;
    if (!kept(filter, first_row + r)) continue;
    const uint32_t bits = distance(codes + r * stride, query, stride);
    if (bits <= threshold) hits[(*count)++] = {bits, r};
  }
  return rows;
}

float dot(const float* a, const float* b, size_t dims) {
  float partial[16] = {};
  for (size_t d = 0; d < dims; ++d) partial[d % 16] += a[d] * b[d];
  for (size_t width = 8; width > 0; width /= 2) {
    for (size_t i = 0; i < width; ++i) partial[i] += partial[i + width];
  }
  return partial[0];
}

void products_i8(const int8_t* vectors, size_t vector_count, const int8_t* rows, size_t row_count,
                 size_t dims, int32_t* out) {
  for (size_t v = 0; v < vector_count; ++v) {
    for (size_t r = 0; r < row_count; ++r) {
      int32_t sum = 0;
      for (size_t d = 0; d < dims; ++d) sum += vectors[v * dims + d] * rows[r * dims + d];
      out[v * row_count + r] = sum;
    }
  }
}

int32_t trellis_dot(const uint8_t* code, const int16_t* z, size_t bits) {
  int32_t sum = 0;
  uint32_t window = 0;
  for (size_t i = 0; i < bits; ++i) {
    window = window >> 1 | static_cast<uint32_t>(code[i / 8] >> i % 8 & 1) << 5;
    sum += z[i] * kTrellisValues[window];
  }
  return sum;
}

void sum_codes(const uint8_t* codes, const float* tables, float* sums) {
  for (size_t r = 0; r < 16; ++r) {
    sums[r] = 0;
    for (size_t j = 0; j < kPlane64Bytes; ++j) {
      const uint8_t byte = codes[16 * j + r];
      sums[r] += tables[32 * j + (byte & 15)] + tables[32 * j + 16 + (byte >> 4)];
    }
  }
}

void panel_products(const uint8_t* rows, size_t row_count, size_t depth, const int8_t* panels,
                    size_t panel_count, const int32_t* start, int32_t* out) {
  const size_t vectors = panel_count * kPanelVectors;
  for (size_t r = 0; r < row_count; ++r) {
    for (size_t v = 0; v < vectors; ++v) {
      const int8_t* panel = panels + v / kPanelVectors * depth * kPanelVectors;
      int32_t sum = start[v];
      for (size_t d = 0; d < depth; ++d) {
        sum +=
            rows[r * depth + d] * panel[d / 4 * 4 * kPanelVectors + v % kPanelVectors * 4 + d % 4];
      }
      out[r * vectors + v] = sum;
    }
  }
}

// Eight columns of C side by side, so that their chains of additions are independent.
void multiply_columns(size_t m, size_t k, size_t columns, size_t whole_rows, const float* a,
                      size_t lda, const float* b, size_t ldb, float* c, size_t ldc,
                      bool accumulate) {
  constexpr size_t kWidth = 8;
  float factors[kGemmDepth * kWidth] = {};
  for (size_t first = 0; first < k; first += kGemmDepth) {
    const size_t depth = k - first < kGemmDepth ? k - first : kGemmDepth;
    const bool add = accumulate || first > 0;
    for (size_t d = 0; d < depth; ++d) {
      for (size_t j = 0; j < columns; ++j) factors[d * kWidth + j] = b[j * ldb + first + d];
    }
    for (size_t i = 0; i < m; ++i) {
      float sums[kWidth] = {};
      float* const to = c + i * ldc;
      const bool in_chain = add && i < whole_rows;
      for (size_t j = 0; in_chain && j < columns; ++j) sums[j] = to[j];
      for (size_t d = 0; d < depth; ++d) {
        const float factor = a[i * lda + first + d];
        for (size_t j = 0; j < kWidth; ++j) {
          sums[j] = multiply_add(factor, factors[d * kWidth + j], sums[j]);
        }
      }
      for (size_t j = 0; j < columns; ++j) to[j] = add && !in_chain ? to[j] + sums[j] : sums[j];
    }
  }
}

void gemm_nt(size_t m, size_t n, size_t k, const float* a, size_t lda, const float* b, size_t ldb,
             float* c, size_t ldc, bool accumulate) {
  const size_t whole_columns = n / kGemmColumns * kGemmColumns;
  for (size_t i = 0; k == 0 && !accumulate && i < m; ++i) {
    std::memset(c + i * ldc, 0, n * sizeof(float));
  }
  for (size_t j = 0; j < n; j += 8) {
    multiply_columns(m, k, n - j < 8 ? n - j : 8, j < whole_columns ? m / kGemmRows * kGemmRows : 0,
                     a, lda, b + j * ldb, ldb, c + j, ldc, accumulate);
  }
}

float float_of_half(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t exponent = half >> 10 & 31;
  uint32_t mantissa = half & 0x3FFu;
  uint32_t word;
  if (exponent == 31) {
    word = sign | 0x7F800000u | mantissa << 13;
    if (mantissa != 0) word |= 0x00400000u;  // quiet NaN, as the instructions give
  } else if (exponent != 0) {
    word = sign | (exponent + 112) << 23 | mantissa << 13;
  } else if (mantissa == 0) {
    word = sign;
  } else {
    uint32_t shift = 0;
    while ((mantissa & 0x400u) == 0) {
      mantissa <<= 1;
      ++shift;
    }
    word = sign | (113 - shift) << 23 | (mantissa & 0x3FFu) << 13;
  }
  float value;
  std::memcpy(&value, &word, 4);
  return value;
}

uint16_t half_of_float(float value) {
  uint32_t word;
  std::memcpy(&word, &value, 4);
  const uint32_t sign = word >> 16 & 0x8000u;
  const uint32_t magnitude = word & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u)
    return static_cast<uint16_t>(sign | 0x7E00u | (magnitude >> 13 & 0x3FFu));
  if (magnitude >= 0x477FF000u) return static_cast<uint16_t>(sign | 0x7C00u);  // rounds to infinity
  if (magnitude < 0x38800000u) {  // subnormal half, or zero
    const uint32_t exponent = magnitude >> 23;
    if (exponent < 102) return static_cast<uint16_t>(sign);
    const uint32_t mantissa = (magnitude & 0x7FFFFFu) | 0x800000u;
    const uint32_t shift = 126 - exponent;
    const uint32_t kept_bits = mantissa >> shift;
    const uint32_t rest = mantissa & ((1u << shift) - 1);
    const uint32_t half = 1u << (shift - 1);
    const uint32_t up = rest > half || (rest == half && (kept_bits & 1) != 0) ? 1 : 0;
    return static_cast<uint16_t>(sign | (kept_bits + up));
  }
  const uint32_t rebased = magnitude - 0x38000000u;
  const uint32_t rounded = rebased + 0xFFFu + (rebased >> 13 & 1);
  return static_cast<uint16_t>(sign | rounded >> 13);
}

void half_to_float(const uint16_t* in, float* out, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] = float_of_half(in[i]);
}

void float_to_half(const float* in, uint16_t* out, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] = half_of_float(in[i]);
}

}  // namespace

const Kernels kScalarKernels = {
    "scalar", &kGenericLoops, scan_tables,   hamming,        scan_hamming,
    dot,      products_i8,    trellis_dot,   sum_codes,      panel_products,
    gemm_nt,  half_to_float,  float_to_half, crc32c_by_table};

}  // namespace corvid
