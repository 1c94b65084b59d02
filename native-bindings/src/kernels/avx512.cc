// AVX-512 with BW, VL, DQ, VBMI and VPOPCNTDQ: Ice Lake, Zen 4 and onwards.
//
// scan_tables: two code bytes of 32 rows lie side by side in plane-64, so one 64-byte load serves
// four tables: the lower half of the register works on byte 2i, the upper half on byte 2i + 1. The
// sums are parted as in avx2.cc, the halves added at the end.
#include "levels.h"

#ifdef CORVID_X86

#if defined(__clang__)
#pragma clang attribute push(                                                        \
    __attribute__((target("avx2,fma,f16c,popcnt,avx512f,avx512bw,avx512vl,avx512dq," \
                          "avx512vbmi,avx512vpopcntdq"))),                           \
    apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target( \
    "avx2,fma,f16c,popcnt,avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx512vpopcntdq")
// GCC 12 takes the undefined operands inside its own AVX-512 headers for a mistake of ours.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>
#include <string.h>

#include "../gemm.h"
#include "common.h"

namespace corvid {
namespace {

inline __m256i load_half(const void* at) { return _mm256_loadu_si256((const __m256i*)at); }

// The tables of four nibbles, each repeated over the 32 rows that look it up: low nibbles of bytes
// 2i and 2i + 1, then high nibbles.
struct Tables {
  __m512i low[4], high[4];
};

inline void spread(const uint8_t* tables, Tables* out) {
  // 64 bytes are the tables of byte 2i (low, high) and of byte 2i + 1 (low, high).
  for (int i = 0; i < 4; ++i) {
    const __m512i four = _mm512_loadu_si512(tables + 64 * i);
    out->low[i] = _mm512_shuffle_i64x2(four, four, _MM_SHUFFLE(2, 2, 0, 0));
    out->high[i] = _mm512_shuffle_i64x2(four, four, _MM_SHUFFLE(3, 3, 1, 1));
  }
}

uint32_t scan_tables(const ScanRange& range, const uint8_t* tables, uint32_t threshold,
                     ScanHit* hits, size_t capacity, size_t* count) {
  if (range.rows == 0) return 0;
  if (threshold > kMaxSum) return range.rows;
  Tables spread_tables;
  spread(tables, &spread_tables);
  const __m512i nibble = _mm512_set1_epi8(15);
  const __m256i wall = _mm256_set1_epi16((short)threshold);
  const uint64_t end = range.first_row + range.rows;
  size_t stored = *count;
  for (uint64_t block = range.first_row / kBlockRows; block * kBlockRows < end; ++block) {
    const uint64_t row = block * kBlockRows;
    if (capacity - stored < kBlockRows) {
      *count = stored;
      return row <= range.first_row ? 0 : (uint32_t)(row - range.first_row);
    }
    const uint32_t wanted = wanted_rows(range, row, end);
    if (wanted == 0) continue;
    const uint8_t* codes = range.plane + block * kBlockBytes;
    __m512i words = _mm512_setzero_si512(), odd_words = _mm512_setzero_si512();
    for (int i = 0; i < 4; ++i) {
      const __m512i pair = _mm512_loadu_si512(codes + 64 * i);
      const __m512i a = _mm512_shuffle_epi8(spread_tables.low[i], _mm512_and_si512(pair, nibble));
      const __m512i b = _mm512_shuffle_epi8(spread_tables.high[i],
                                            _mm512_and_si512(_mm512_srli_epi16(pair, 4), nibble));
      words = _mm512_add_epi16(words, _mm512_add_epi16(a, b));
      odd_words = _mm512_add_epi16(
          odd_words, _mm512_add_epi16(_mm512_srli_epi16(a, 8), _mm512_srli_epi16(b, 8)));
    }
    const __m256i odd = _mm256_add_epi16(_mm512_castsi512_si256(odd_words),
                                         _mm512_extracti64x4_epi64(odd_words, 1));
    const __m256i all =
        _mm256_add_epi16(_mm512_castsi512_si256(words), _mm512_extracti64x4_epi64(words, 1));
    const __m256i even = _mm256_sub_epi16(all, _mm256_slli_epi16(odd, 8));
    const uint32_t even_pass = _mm256_cmpge_epu16_mask(even, wall);
    const uint32_t odd_pass = _mm256_cmpge_epu16_mask(odd, wall);
    if ((even_pass | odd_pass) == 0) continue;
    // Interleaves the two masks into row order.
    const __m256i rows =
        _mm256_mask_blend_epi8(0xAAAAAAAAu, _mm256_movm_epi16((__mmask16)even_pass),
                               _mm256_movm_epi16((__mmask16)odd_pass));
    uint32_t passed = (uint32_t)_mm256_movepi8_mask(rows) & wanted;
    if (passed == 0) continue;
    alignas(32) uint16_t sums[2][16];
    _mm256_store_si256((__m256i*)sums[0], even);
    _mm256_store_si256((__m256i*)sums[1], odd);
    for (; passed != 0; passed &= passed - 1) {
      const uint32_t lane = trailing_zeros(passed);
      hits[stored].sum = sums[lane & 1][lane >> 1];
      hits[stored++].row = (uint32_t)(row + lane - range.first_row);
    }
  }
  *count = stored;
  return range.rows;
}

// Distances of eight rows of 8 bytes at once.
inline __m512i distances_of_words(const uint8_t* codes, __m512i query) {
  return _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_loadu_si512(codes), query));
}

void hamming_words(const uint8_t* codes, size_t rows, const uint8_t* query, uint16_t* distances) {
  uint64_t word;
  memcpy(&word, query, 8);
  const __m512i repeated = _mm512_set1_epi64((long long)word);
  size_t r = 0;
  for (; r + 8 <= rows; r += 8) {
    _mm_storeu_si128((__m128i*)(distances + r),
                     _mm512_cvtepi64_epi16(distances_of_words(codes + 8 * r, repeated)));
  }
  for (; r < rows; ++r) {
    distances[r] = (uint16_t)_mm_popcnt_u64(xor_word(codes + 8 * r, query));
  }
}

void hamming(const uint8_t* codes, size_t stride, size_t rows, const uint8_t* query,
             uint16_t* distances) {
  if (stride == 8) {
    hamming_words(codes, rows, query, distances);
    return;
  }
  const size_t whole = stride / 64;
  const __mmask8 rest = (__mmask8)((1u << (stride % 64 / 8)) - 1);
  for (size_t r = 0; r < rows; ++r) {
    const uint8_t* code = codes + r * stride;
    __m512i counts = _mm512_setzero_si512();
    for (size_t i = 0; i < whole; ++i) {
      counts = _mm512_add_epi64(
          counts, distances_of_words(code + 64 * i, _mm512_loadu_si512(query + 64 * i)));
    }
    if (rest != 0) {
      const __m512i a = _mm512_maskz_loadu_epi64(rest, code + 64 * whole);
      const __m512i b = _mm512_maskz_loadu_epi64(rest, query + 64 * whole);
      counts = _mm512_add_epi64(counts, _mm512_popcnt_epi64(_mm512_xor_si512(a, b)));
    }
    distances[r] = (uint16_t)_mm512_reduce_add_epi64(counts);
  }
}

uint32_t scan_hamming(const uint8_t* codes, size_t stride, uint64_t first_row, uint32_t rows,
                      const uint8_t* query, uint32_t threshold, const uint8_t* filter,
                      ScanHit* hits, size_t capacity, size_t* count) {
  return scan_hamming_by(hamming, codes, stride, first_row, rows, query, threshold, filter, hits,
                         capacity, count);
}

void vector_matrix(const float* x, const float* m, size_t dims, size_t columns, float* y) {
  size_t c = 0;
  for (; c + 64 <= columns; c += 64) {
    __m512 sums[4];
    for (int i = 0; i < 4; ++i) sums[i] = _mm512_setzero_ps();
    for (size_t d = 0; d < dims; ++d) {
      const __m512 factor = _mm512_set1_ps(x[d]);
      const float* row = m + d * columns + c;
      for (int i = 0; i < 4; ++i) {
        sums[i] = _mm512_add_ps(sums[i], _mm512_mul_ps(factor, _mm512_loadu_ps(row + 16 * i)));
      }
    }
    for (int i = 0; i < 4; ++i) _mm512_storeu_ps(y + c + 16 * i, sums[i]);
  }
  for (; c < columns; c += 16) {
    const __mmask16 present = (__mmask16)(columns - c >= 16 ? 0xFFFF : (1u << (columns - c)) - 1);
    __m512 sum = _mm512_setzero_ps();
    for (size_t d = 0; d < dims; ++d) {
      sum = _mm512_add_ps(sum, _mm512_mul_ps(_mm512_set1_ps(x[d]),
                                             _mm512_maskz_loadu_ps(present, m + d * columns + c)));
    }
    _mm512_mask_storeu_ps(y + c, present, sum);
  }
}

inline __mmask16 tail_mask(size_t count) { return (__mmask16)((1u << count) - 1); }

inline float reduce(__m512 sums) {
  alignas(64) float partial[16];
  _mm512_store_ps(partial, sums);
  return reduce_partials(partial);
}

float dot(const float* a, const float* b, size_t dims) {
  __m512 sums = _mm512_setzero_ps();
  size_t d = 0;
  for (; d + 16 <= dims; d += 16) {
    sums = _mm512_add_ps(sums, _mm512_mul_ps(_mm512_loadu_ps(a + d), _mm512_loadu_ps(b + d)));
  }
  const __mmask16 rest = tail_mask(dims - d);
  const __m512 tail =
      _mm512_mul_ps(_mm512_maskz_loadu_ps(rest, a + d), _mm512_maskz_loadu_ps(rest, b + d));
  return reduce(_mm512_mask_add_ps(sums, rest, sums, tail));
}

float dot_i8(const float* a, const int8_t* b, size_t dims) {
  __m512 sums = _mm512_setzero_ps();
  size_t d = 0;
  for (; d + 16 <= dims; d += 16) {
    const __m512 floats =
        _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i*)(b + d))));
    sums = _mm512_add_ps(sums, _mm512_mul_ps(_mm512_loadu_ps(a + d), floats));
  }
  const __mmask16 rest = tail_mask(dims - d);
  const __m512 floats = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(rest, b + d)));
  const __m512 tail = _mm512_mul_ps(_mm512_maskz_loadu_ps(rest, a + d), floats);
  return reduce(_mm512_mask_add_ps(sums, rest, sums, tail));
}

// 12 x 32: 24 accumulators, two of B, one of A.
void multiply_tile(size_t depth, const float* a, const float* b, float* c, size_t ldc) {
  __m512 sums[12][2];
  for (int r = 0; r < 12; ++r) {
    sums[r][0] = _mm512_loadu_ps(c + (size_t)r * ldc);
    sums[r][1] = _mm512_loadu_ps(c + (size_t)r * ldc + 16);
  }
  for (size_t d = 0; d < depth; ++d, a += 12, b += 32) {
    const __m512 b0 = _mm512_load_ps(b), b1 = _mm512_load_ps(b + 16);
    for (int r = 0; r < 12; ++r) {
      const __m512 factor = _mm512_set1_ps(a[r]);
      sums[r][0] = _mm512_fmadd_ps(factor, b0, sums[r][0]);
      sums[r][1] = _mm512_fmadd_ps(factor, b1, sums[r][1]);
    }
  }
  for (int r = 0; r < 12; ++r) {
    _mm512_storeu_ps(c + (size_t)r * ldc, sums[r][0]);
    _mm512_storeu_ps(c + (size_t)r * ldc + 16, sums[r][1]);
  }
}

const GemmTile kTile = {12, 32, multiply_tile};

void gemm_nt(size_t m, size_t n, size_t k, const float* a, size_t lda, const float* b, size_t ldb,
             float* c, size_t ldc, bool accumulate) {
  gemm_nt_blocked(kTile, m, n, k, a, lda, b, ldb, c, ldc, accumulate);
}

void half_to_float(const uint16_t* in, float* out, size_t count) {
  for (size_t i = 0; i < count; i += 16) {
    const __mmask16 present = count - i >= 16 ? (__mmask16)0xFFFF : tail_mask(count - i);
    _mm512_mask_storeu_ps(out + i, present,
                          _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(present, in + i)));
  }
}

void float_to_half(const float* in, uint16_t* out, size_t count) {
  for (size_t i = 0; i < count; i += 16) {
    const __mmask16 present = count - i >= 16 ? (__mmask16)0xFFFF : tail_mask(count - i);
    _mm256_mask_storeu_epi16(
        out + i, present,
        _mm512_cvtps_ph(_mm512_maskz_loadu_ps(present, in + i), _MM_FROUND_TO_NEAREST_INT));
  }
}

}  // namespace

const Kernels kAvx512Kernels = {"avx512", scan_tables, hamming, scan_hamming,  vector_matrix,
                                dot,      dot_i8,      gemm_nt, half_to_float, float_to_half};

}  // namespace corvid

#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif

#endif  // CORVID_X86
