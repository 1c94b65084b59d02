// AVX2 with FMA and F16C: Haswell and Zen onwards.
//
// scan_tables: 32 rows a step. One code byte of 32 rows is one load; its two nibbles select from
// two tables by byte shuffle (André, Kermarrec and Le Scouarnec, "Cache locality is not enough",
// VLDB 2015, and FAISS's fast scan). Sums are 16 bits wide: adding whole 16-bit words sums the even
// rows (plus 256 times the odd ones, modulo 2^16), adding the words shifted right by 8 sums the odd
// ones; one subtraction at the end parts them. Three operations a look-up beside the shuffle.
#include "levels.h"

#ifdef CORVID_X86

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,popcnt"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c,popcnt")
#endif

#include <immintrin.h>
#include <string.h>

#include "../gemm.h"
#include "common.h"

namespace corvid {
namespace {

inline __m256i load(const void* at) { return _mm256_loadu_si256((const __m256i*)at); }

// Adds the look-ups of `codes` in tables `low` (low nibbles) and `high` to the two sums.
inline void add_look_ups(__m256i codes, const uint8_t* low, const uint8_t* high, __m256i* words,
                         __m256i* odd) {
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i low_table = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)low));
  const __m256i high_table = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)high));
  const __m256i a = _mm256_shuffle_epi8(low_table, _mm256_and_si256(codes, nibble));
  const __m256i b =
      _mm256_shuffle_epi8(high_table, _mm256_and_si256(_mm256_srli_epi16(codes, 4), nibble));
  *words = _mm256_add_epi16(*words, _mm256_add_epi16(a, b));
  *odd = _mm256_add_epi16(*odd, _mm256_add_epi16(_mm256_srli_epi16(a, 8), _mm256_srli_epi16(b, 8)));
}

uint32_t scan_tables(const ScanRange& range, const uint8_t* tables, uint32_t threshold,
                     ScanHit* hits, size_t capacity, size_t* count) {
  if (range.rows == 0) return 0;
  if (threshold > kMaxSum) return range.rows;
  const __m256i below = _mm256_set1_epi16((short)((int)threshold - 1));
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
    __m256i words = _mm256_setzero_si256(), odd = _mm256_setzero_si256();
    for (size_t byte = 0; byte < kPlane64Bytes; ++byte) {
      add_look_ups(load(codes + byte * kBlockRows), tables + 2 * byte * kTableEntries,
                   tables + (2 * byte + 1) * kTableEntries, &words, &odd);
    }
    const __m256i even = _mm256_sub_epi16(words, _mm256_slli_epi16(odd, 8));
    const __m256i pass =
        _mm256_blendv_epi8(_mm256_cmpgt_epi16(even, below), _mm256_cmpgt_epi16(odd, below),
                           _mm256_set1_epi16((short)0xFF00));
    uint32_t passed = (uint32_t)_mm256_movemask_epi8(pass) & wanted;
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

// Set bits of each 64-bit word, by shuffle (Muła, Kurz and Lemire, "Faster population counts using
// AVX2 instructions", 2016).
inline __m256i count_bits(__m256i v) {
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2,
                                         1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(v, nibble));
  const __m256i high =
      _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble));
  return _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256());
}

inline uint32_t distance(const uint8_t* a, const uint8_t* b, size_t stride) {
  uint64_t sum = 0;
  size_t byte = 0;
  if (stride >= 32) {
    __m256i counts = _mm256_setzero_si256();
    for (; byte + 32 <= stride; byte += 32) {
      counts =
          _mm256_add_epi64(counts, count_bits(_mm256_xor_si256(load(a + byte), load(b + byte))));
    }
    const __m128i pair =
        _mm_add_epi64(_mm256_castsi256_si128(counts), _mm256_extracti128_si256(counts, 1));
    sum = (uint64_t)_mm_cvtsi128_si64(pair) + (uint64_t)_mm_extract_epi64(pair, 1);
  }
  for (; byte < stride; byte += 8) sum += (uint64_t)_mm_popcnt_u64(xor_word(a + byte, b + byte));
  return (uint32_t)sum;
}

void hamming(const uint8_t* codes, size_t stride, size_t rows, const uint8_t* query,
             uint16_t* distances) {
  for (size_t r = 0; r < rows; ++r) {
    distances[r] = (uint16_t)distance(codes + r * stride, query, stride);
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
    __m256 sums[8];
    for (int i = 0; i < 8; ++i) sums[i] = _mm256_setzero_ps();
    for (size_t d = 0; d < dims; ++d) {
      const __m256 factor = _mm256_set1_ps(x[d]);
      const float* row = m + d * columns + c;
      for (int i = 0; i < 8; ++i) {
        sums[i] = _mm256_add_ps(sums[i], _mm256_mul_ps(factor, _mm256_loadu_ps(row + 8 * i)));
      }
    }
    for (int i = 0; i < 8; ++i) _mm256_storeu_ps(y + c + 8 * i, sums[i]);
  }
  for (; c + 8 <= columns; c += 8) {
    __m256 sum = _mm256_setzero_ps();
    for (size_t d = 0; d < dims; ++d) {
      sum = _mm256_add_ps(
          sum, _mm256_mul_ps(_mm256_set1_ps(x[d]), _mm256_loadu_ps(m + d * columns + c)));
    }
    _mm256_storeu_ps(y + c, sum);
  }
  for (; c < columns; ++c) {
    float sum = 0;
    for (size_t d = 0; d < dims; ++d) sum += x[d] * m[d * columns + c];
    y[c] = sum;
  }
}

inline float reduce(__m256 low, __m256 high, const float* a, const float* rest, size_t tail) {
  alignas(32) float partial[16];
  _mm256_store_ps(partial, low);
  _mm256_store_ps(partial + 8, high);
  for (size_t i = 0; i < tail; ++i) partial[i] += a[i] * rest[i];
  return reduce_partials(partial);
}

float dot(const float* a, const float* b, size_t dims) {
  __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
  size_t d = 0;
  for (; d + 16 <= dims; d += 16) {
    low = _mm256_add_ps(low, _mm256_mul_ps(_mm256_loadu_ps(a + d), _mm256_loadu_ps(b + d)));
    high =
        _mm256_add_ps(high, _mm256_mul_ps(_mm256_loadu_ps(a + d + 8), _mm256_loadu_ps(b + d + 8)));
  }
  return reduce(low, high, a + d, b + d, dims - d);
}

inline __m256 floats_of(const int8_t* at) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i*)at)));
}

float dot_i8(const float* a, const int8_t* b, size_t dims) {
  __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
  size_t d = 0;
  for (; d + 16 <= dims; d += 16) {
    low = _mm256_add_ps(low, _mm256_mul_ps(_mm256_loadu_ps(a + d), floats_of(b + d)));
    high = _mm256_add_ps(high, _mm256_mul_ps(_mm256_loadu_ps(a + d + 8), floats_of(b + d + 8)));
  }
  float rest[16];
  for (size_t i = 0; i < dims - d; ++i) rest[i] = (float)b[d + i];
  return reduce(low, high, a + d, rest, dims - d);
}

// 6 x 16: twelve accumulators, two of B, one of A.
void multiply_tile(size_t depth, const float* a, const float* b, float* c, size_t ldc) {
  __m256 sums[6][2];
  for (int r = 0; r < 6; ++r) {
    sums[r][0] = _mm256_loadu_ps(c + (size_t)r * ldc);
    sums[r][1] = _mm256_loadu_ps(c + (size_t)r * ldc + 8);
  }
  for (size_t d = 0; d < depth; ++d, a += 6, b += 16) {
    const __m256 b0 = _mm256_load_ps(b), b1 = _mm256_load_ps(b + 8);
    for (int r = 0; r < 6; ++r) {
      const __m256 factor = _mm256_broadcast_ss(a + r);
      sums[r][0] = _mm256_fmadd_ps(factor, b0, sums[r][0]);
      sums[r][1] = _mm256_fmadd_ps(factor, b1, sums[r][1]);
    }
  }
  for (int r = 0; r < 6; ++r) {
    _mm256_storeu_ps(c + (size_t)r * ldc, sums[r][0]);
    _mm256_storeu_ps(c + (size_t)r * ldc + 8, sums[r][1]);
  }
}

const GemmTile kTile = {6, 16, multiply_tile};

void gemm_nt(size_t m, size_t n, size_t k, const float* a, size_t lda, const float* b, size_t ldb,
             float* c, size_t ldc, bool accumulate) {
  gemm_nt_blocked(kTile, m, n, k, a, lda, b, ldb, c, ldc, accumulate);
}

void half_to_float(const uint16_t* in, float* out, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)(in + i))));
  }
  for (; i < count; ++i) out[i] = _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(in[i])));
}

void float_to_half(const float* in, uint16_t* out, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    _mm_storeu_si128((__m128i*)(out + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT));
  }
  for (; i < count; ++i) {
    out[i] =
        (uint16_t)_mm_cvtsi128_si32(_mm_cvtps_ph(_mm_set_ss(in[i]), _MM_FROUND_TO_NEAREST_INT));
  }
}

}  // namespace

const Kernels kAvx2Kernels = {"avx2", scan_tables, hamming, scan_hamming,  vector_matrix,
                              dot,    dot_i8,      gemm_nt, half_to_float, float_to_half};

}  // namespace corvid

#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif

#endif  // CORVID_X86
