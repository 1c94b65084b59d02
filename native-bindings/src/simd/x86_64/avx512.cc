// The kernels for AVX-512 with BW, VL, DQ, VBMI, VNNI, VPOPCNTDQ and GFNI: Ice Lake, Zen 4 and
// later.
//
// scan_tables: one two-register byte permutation of plane-64 fills a register with four code bytes
// of sixteen rows, the four of a row side by side. Four tables fill a register too, so one
// permutation looks up 64 nibbles in four tables; two index bits select the table. One VNNI
// instruction adds a row's four bytes to its 32-bit sum, and sums stay in row order. That is eight
// instructions for 128 look-ups, where shuffles with 16-bit sums take eleven.
#include "simd/levels.h"

#ifdef CORVID_X86

#if defined(__clang__)
#pragma clang attribute push(                                                        \
    __attribute__((target("avx2,fma,f16c,popcnt,avx512f,avx512bw,avx512vl,avx512dq," \
                          "avx512vbmi,avx512vpopcntdq,avx512vnni,gfni"))),           \
    apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c,popcnt,avx512f,avx512bw,avx512vl,avx512dq")
#pragma GCC target("avx512vbmi,avx512vpopcntdq,avx512vnni,gfni")
// GCC 12 warns about undefined operands inside its AVX-512 headers.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>
#include <string.h>

#include "simd/generic/common.h"
#include "simd/generic/gemm.h"
#include "simd/x86_64/crc32c.h"

namespace corvid {
namespace {

// Registers of a scan. Tables are numbered as in simd/contract.h: table 2j is for the low nibble of
// code byte j, table 2j + 1 for the high one.
struct Scan {
  __m512i low[2], high[2];        // tables of bytes 0-3 and 4-7
  __m512i first_rows, last_rows;  // gather rows 0-15 and 16-31 of four bytes
  __m512i ones, nibble, table, high_nibble;
};

inline void prepare(const uint8_t* tables, Scan* scan) {
  const __m512i even = _mm512_setr_epi64(0, 1, 4, 5, 8, 9, 12, 13);
  const __m512i odd = _mm512_setr_epi64(2, 3, 6, 7, 10, 11, 14, 15);
  for (int i = 0; i < 2; ++i) {
    const __m512i a = _mm512_loadu_si512(tables + 128 * i);
    const __m512i b = _mm512_loadu_si512(tables + 128 * i + 64);
    scan->low[i] = _mm512_permutex2var_epi64(a, even, b);
    scan->high[i] = _mm512_permutex2var_epi64(a, odd, b);
  }
  // Byte p of row r lies at 32 p + r.
  const __m512i rows = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  scan->first_rows = _mm512_add_epi8(_mm512_mullo_epi32(rows, _mm512_set1_epi32(0x01010101)),
                                     _mm512_set1_epi32(0x60402000));
  scan->last_rows = _mm512_add_epi8(scan->first_rows, _mm512_set1_epi8(16));
  scan->ones = _mm512_set1_epi8(1);
  scan->nibble = _mm512_set1_epi8(15);
  scan->table = _mm512_set1_epi32(0x30201000);
  // As an 8 x 8 bit matrix: bit i of the result is bit i + 4, for i < 4.
  scan->high_nibble = _mm512_set1_epi64(0x1020408000000000);
  CORVID_KEEP(scan->ones);
  CORVID_KEEP(scan->nibble);
  CORVID_KEEP(scan->table);
  CORVID_KEEP(scan->high_nibble);
}

// Adds the look-ups of bytes 4i to 4i + 3 of each of 16 rows to `sums`.
CORVID_INLINE __m512i add_look_ups(__m512i sums, __m512i codes, const Scan& scan, int i) {
  const __m512i low_index = _mm512_ternarylogic_epi32(codes, scan.nibble, scan.table, 0xEA);
  const __m512i high_index =
      _mm512_or_si512(_mm512_gf2p8affine_epi64_epi8(codes, scan.high_nibble, 0), scan.table);
  sums = _mm512_dpbusd_epi32(sums, _mm512_permutexvar_epi8(low_index, scan.low[i]), scan.ones);
  return _mm512_dpbusd_epi32(sums, _mm512_permutexvar_epi8(high_index, scan.high[i]), scan.ones);
}

// Appends (sum, first + lane) for the lanes in `passed` to `hits`, which has space for 32; returns
// their number. `low` and `high`: sums of lanes 0-15 and 16-31. Few hits are stored one by one,
// many eight at a time.
inline size_t append_hits(__m512i low, __m512i high, uint32_t passed, uint32_t first,
                          ScanHit* hits) {
  constexpr int kFew = 5;
  const int total = _mm_popcnt_u32(passed);
  if (total <= kFew) {
    alignas(64) uint32_t sums[kBlockRows];
    _mm512_store_si512(sums, low);
    _mm512_store_si512(sums + 16, high);
    for (; passed != 0; passed &= passed - 1) {
      const uint32_t lane = trailing_zeros(passed);
      hits->sum = sums[lane];
      (hits++)->row = first + lane;
    }
    return (size_t)total;
  }
  const __m256i quarters[4] = {_mm512_castsi512_si256(low), _mm512_extracti64x4_epi64(low, 1),
                               _mm512_castsi512_si256(high), _mm512_extracti64x4_epi64(high, 1)};
  __m512i rows = _mm512_add_epi32(_mm512_setr_epi32(0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7),
                                  _mm512_maskz_set1_epi32(0xAAAA, (int)first));
  const __m512i next_rows = _mm512_set1_epi64(8ll << 32);
  CORVID_UNROLL(4)
  for (int i = 0; i < 4; ++i, passed >>= 8) {
    const __m512i pairs = _mm512_or_si512(rows, _mm512_cvtepu32_epi64(quarters[i]));
    _mm512_storeu_si512(hits, _mm512_maskz_compress_epi64((__mmask8)passed, pairs));
    hits += _mm_popcnt_u32(passed & 0xFF);
    rows = _mm512_add_epi64(rows, next_rows);
  }
  return (size_t)total;
}

uint32_t scan_tables(const ScanRange& range, const uint8_t* tables, uint32_t threshold,
                     ScanHit* hits, size_t capacity, size_t* count) {
  if (range.rows == 0) return 0;
  if (threshold > kMaxSum) return range.rows;
  Scan scan;
  prepare(tables, &scan);
  const __m512i bound = _mm512_set1_epi32((int)threshold);
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
    __m512i low = _mm512_setzero_si512(), high = _mm512_setzero_si512();
    CORVID_UNROLL(2)
    for (int i = 0; i < 2; ++i) {
      const __m512i a = _mm512_loadu_si512(codes + 128 * i);
      const __m512i b = _mm512_loadu_si512(codes + 128 * i + 64);
      const __m512i first_rows = _mm512_permutex2var_epi8(a, scan.first_rows, b);
      const __m512i last_rows = _mm512_permutex2var_epi8(a, scan.last_rows, b);
      low = add_look_ups(low, first_rows, scan, i);
      high = add_look_ups(high, last_rows, scan, i);
    }
    const uint32_t passed = (_mm512_cmpge_epu32_mask(low, bound) |
                             (uint32_t)_mm512_cmpge_epu32_mask(high, bound) << 16) &
                            wanted;
    if (passed == 0) continue;
    stored += append_hits(low, high, passed, (uint32_t)(row - range.first_row), hits + stored);
  }
  *count = stored;
  return range.rows;
}

inline __m512i count_bits(__m512i codes, __m512i query) {
  return _mm512_popcnt_epi64(_mm512_xor_si512(codes, query));
}

// Word 2i is the sum of words 2i and 2i + 1 of `a`, word 2i + 1 that of `b`.
inline __m512i add_pairs(__m512i a, __m512i b) {
  return _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

// The same for the four pairs of words of each register: pair i is the sum of pairs 2i and 2i + 1
// of `a`, pair i + 2 that of `b`.
inline __m512i add_pairs_of_pairs(__m512i a, __m512i b) {
  return _mm512_add_epi64(_mm512_shuffle_i64x2(a, b, 0x88), _mm512_shuffle_i64x2(a, b, 0xDD));
}

// Loads the first `words` words at `at`, at most eight; the rest is zero.
inline __m512i load_words(const uint8_t* at, size_t words) {
  return _mm512_maskz_loadu_epi64((__mmask8)(words >= 8 ? 0xFF : (1u << words) - 1), at);
}

// Distances of eight contiguous rows of one, two or four words; `query` is repeated to fill the
// register. Reads only the first `all` words; distances of rows after them are undefined.
CORVID_INLINE __m512i distances_of_short(const uint8_t* codes, size_t words, size_t all,
                                         __m512i query) {
  __m512i counts[4];
  CORVID_UNROLL(4)
  for (size_t i = 0; i < 4; ++i) {
    counts[i] = _mm512_setzero_si512();
    if (i < words && all > 8 * i) {
      counts[i] = count_bits(load_words(codes + 64 * i, all - 8 * i), query);
    }
  }
  if (words == 1) return counts[0];
  const __m512i halves = add_pairs(counts[0], counts[1]);
  if (words == 2) {
    return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), halves);
  }
  return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 1, 3, 4, 6, 5, 7),
                                  add_pairs_of_pairs(halves, add_pairs(counts[2], counts[3])));
}

// Distances of eight rows of at most 16 words, counted row by row and summed by a tree. Reads only
// the first `rows`; the distances of the others are undefined.
CORVID_INLINE __m512i distances_of_long(const uint8_t* codes, size_t words, size_t rows,
                                        const __m512i* query) {
  __m512i counts[8];
  CORVID_UNROLL(8)
  for (size_t r = 0; r < 8; ++r, codes += 8 * words) {
    counts[r] = _mm512_setzero_si512();
    if (r >= rows) continue;
    counts[r] = count_bits(load_words(codes, words), query[0]);
    if (words > 8) {
      counts[r] =
          _mm512_add_epi64(counts[r], count_bits(load_words(codes + 64, words - 8), query[1]));
    }
  }
  const __m512i low =
      add_pairs_of_pairs(add_pairs(counts[0], counts[1]), add_pairs(counts[2], counts[3]));
  const __m512i high =
      add_pairs_of_pairs(add_pairs(counts[4], counts[5]), add_pairs(counts[6], counts[7]));
  return add_pairs_of_pairs(low, high);
}

// Distances of up to 32 rows as 16-bit lanes. `words` is a constant where this is inlined, and so
// is `rows` for whole blocks.
CORVID_INLINE __m512i distances_of_block(size_t words, const uint8_t* codes, size_t rows,
                                         const __m512i* query) {
  const bool is_short = words == 1 || words == 2 || words == 4;
  __m128i eights[4];
  CORVID_UNROLL(4)
  for (size_t i = 0; i < 4; ++i, codes += 64 * words) {
    const size_t left = rows > 8 * i ? rows - 8 * i : 0;
    const __m512i sums = is_short ? distances_of_short(codes, words, left * words, query[0])
                                  : distances_of_long(codes, words, left, query);
    eights[i] = _mm512_cvtepi64_epi16(sums);
  }
  const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(eights[0]), eights[1], 1);
  const __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(eights[2]), eights[3], 1);
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

// Lays out the query for distances_of_block: repeated for short codes, else in one or two
// registers.
inline void spread_query(const uint8_t* query, size_t words, __m512i* spread) {
  spread[0] = load_words(query, words);
  spread[1] = load_words(query + 64, words > 8 ? words - 8 : 0);
  if (words == 1 || words == 2 || words == 4) {
    const __m512i lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    const __m512i within = _mm512_and_si512(lanes, _mm512_set1_epi64((long long)words - 1));
    spread[0] = _mm512_permutexvar_epi64(within, spread[0]);
  }
}

CORVID_INLINE void hamming_of(size_t words, const uint8_t* codes, size_t rows, const uint8_t* query,
                              uint16_t* distances) {
  __m512i spread[2];
  spread_query(query, words, spread);
  for (; rows >= kBlockRows; rows -= kBlockRows, codes += 256 * words, distances += kBlockRows) {
    _mm512_storeu_si512(distances, distances_of_block(words, codes, kBlockRows, spread));
  }
  const __m512i last = distances_of_block(words, codes, rows, spread);
  _mm512_mask_storeu_epi16(distances, (__mmask32)((1ull << rows) - 1), last);
}

void hamming(const uint8_t* codes, size_t stride, size_t rows, const uint8_t* query,
             uint16_t* distances) {
  hamming_by(hamming_of, codes, stride, rows, query, distances);
}

inline size_t append_near(const uint16_t* distances, uint16_t threshold, uint32_t wanted,
                          uint32_t first, ScanHit* hits) {
  const __m512i all = _mm512_load_si512(distances);
  const __mmask32 near = _mm512_cmple_epu16_mask(all, _mm512_set1_epi16((short)threshold));
  const uint32_t passed = near & wanted;
  if (passed == 0) return 0;
  return append_hits(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(all)),
                     _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(all, 1)), passed, first, hits);
}

uint32_t scan_hamming(const uint8_t* codes, size_t stride, uint64_t first_row, uint32_t rows,
                      const uint8_t* query, uint32_t threshold, const uint8_t* filter,
                      ScanHit* hits, size_t capacity, size_t* count) {
  return scan_hamming_by(hamming, append_near, codes, stride, first_row, rows, query, threshold,
                         filter, hits, capacity, count);
}

// A table's sixteen entries fill one register; the permutation ignores all but the lowest four bits
// of an index.
void sum_codes(const uint8_t* codes, const float* tables, float* sums) {
  __m512 total = _mm512_setzero_ps();
  CORVID_UNROLL(8)
  for (size_t j = 0; j < kPlane64Bytes; ++j, tables += 2 * kTableEntries) {
    const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)(codes + 16 * j)));
    const __m512 low = _mm512_permutexvar_ps(bytes, _mm512_loadu_ps(tables));
    const __m512 high =
        _mm512_permutexvar_ps(_mm512_srli_epi32(bytes, 4), _mm512_loadu_ps(tables + kTableEntries));
    total = _mm512_add_ps(total, _mm512_add_ps(low, high));
  }
  _mm512_storeu_ps(sums, total);
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

#include "simd/x86_64/avx512_panels.h"
#include "simd/x86_64/avx512_products.h"
#include "simd/x86_64/avx512_trellis.h"
#include "simd/x86_64/transpose.h"

// A 12 x 32 tile: 24 accumulators, two registers of B, one of A.
void multiply_tile(size_t depth, const float* a, const float* b, float* c, size_t ldc,
                   bool accumulate) {
  __m512 sums[12][2];
  CORVID_UNROLL(12)
  for (int r = 0; r < 12; ++r) {
    const float* row = c + (size_t)r * ldc;
    sums[r][0] = accumulate ? _mm512_loadu_ps(row) : _mm512_setzero_ps();
    sums[r][1] = accumulate ? _mm512_loadu_ps(row + 16) : _mm512_setzero_ps();
  }
  for (size_t d = 0; d < depth; ++d, a += 12, b += 32) {
    const __m512 b0 = _mm512_load_ps(b), b1 = _mm512_load_ps(b + 16);
    CORVID_UNROLL(12)
    for (int r = 0; r < 12; ++r) {
      const __m512 factor = _mm512_set1_ps(a[r]);
      sums[r][0] = _mm512_fmadd_ps(factor, b0, sums[r][0]);
      sums[r][1] = _mm512_fmadd_ps(factor, b1, sums[r][1]);
    }
  }
  CORVID_UNROLL(12)
  for (int r = 0; r < 12; ++r) {
    _mm512_storeu_ps(c + (size_t)r * ldc, sums[r][0]);
    _mm512_storeu_ps(c + (size_t)r * ldc + 16, sums[r][1]);
  }
}

const GemmTile kTile = {12, 32, multiply_tile, transpose};

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

const Kernels kAvx512Kernels = {
    "avx512",      &kAvx512Loops,        scan_tables, hamming,        scan_hamming, dot,
    products_i8,   trellis_dot,          sum_codes,   panel_products, gemm_nt,      half_to_float,
    float_to_half, crc32c_by_instruction};

}  // namespace corvid

#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif

#endif  // CORVID_X86
