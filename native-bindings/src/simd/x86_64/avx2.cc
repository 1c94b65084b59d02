// The kernels for AVX2 with FMA and F16C: Haswell, Zen and later.
//
// scan_tables: 32 rows per step. One load gives one code byte of 32 rows; its two nibbles select
// from two tables by byte shuffle (André, Kermarrec and Le Scouarnec, "Cache locality is not
// enough", VLDB 2015, and FAISS's fast scan). The two look-ups of a row are interleaved and added
// into 16 bits by one multiply-add with ones, which leaves the sums nearly in row order. Separating
// even and odd bytes by shifts instead took a fifth longer on Zen 4.
#include "simd/levels.h"

#ifdef CORVID_X86

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,popcnt"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c,popcnt")
#endif

#include <immintrin.h>
#include <string.h>

#include "simd/generic/common.h"
#include "simd/generic/gemm.h"
#include "simd/x86_64/crc32c.h"

namespace corvid {
namespace {

inline __m256i load(const void* at) { return _mm256_loadu_si256((const __m256i*)at); }

// Adds the look-ups of one byte of 32 rows, in the tables of its low and of its high nibble, to the
// 16-bit sums of rows 0-7 and 16-23 (`outer`), and 8-15 and 24-31 (`inner`).
CORVID_INLINE void add_look_ups(const uint8_t* codes, const uint8_t* tables, __m256i nibble,
                                __m256i ones, __m256i* outer, __m256i* inner) {
  const __m256i low_table = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)tables));
  const __m256i high_table =
      _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)(tables + kTableEntries)));
  const __m256i code = load(codes);
  const __m256i a = _mm256_shuffle_epi8(low_table, _mm256_and_si256(code, nibble));
  const __m256i b =
      _mm256_shuffle_epi8(high_table, _mm256_and_si256(_mm256_srli_epi16(code, 4), nibble));
  *outer = _mm256_add_epi16(*outer, _mm256_maddubs_epi16(_mm256_unpacklo_epi8(a, b), ones));
  *inner = _mm256_add_epi16(*inner, _mm256_maddubs_epi16(_mm256_unpackhi_epi8(a, b), ones));
  // Adding in another order would need more registers than there are.
  CORVID_KEEP(*outer);
  CORVID_KEEP(*inner);
}

// For each mask of four 8-byte lanes, the permutation of 4-byte halves that moves the selected
// lanes to the front.
alignas(32) const uint32_t kCompress[16][8] = {
    {0, 1, 2, 3, 4, 5, 6, 7}, {0, 1, 2, 3, 4, 5, 6, 7}, {2, 3, 0, 1, 4, 5, 6, 7},
    {0, 1, 2, 3, 4, 5, 6, 7}, {4, 5, 0, 1, 2, 3, 6, 7}, {0, 1, 4, 5, 2, 3, 6, 7},
    {2, 3, 4, 5, 0, 1, 6, 7}, {0, 1, 2, 3, 4, 5, 6, 7}, {6, 7, 0, 1, 2, 3, 4, 5},
    {0, 1, 6, 7, 2, 3, 4, 5}, {2, 3, 6, 7, 0, 1, 4, 5}, {0, 1, 2, 3, 6, 7, 4, 5},
    {4, 5, 6, 7, 0, 1, 2, 3}, {0, 1, 4, 5, 6, 7, 2, 3}, {2, 3, 4, 5, 6, 7, 0, 1},
    {0, 1, 2, 3, 4, 5, 6, 7}};

// Appends (sum, first + lane) for the lanes in `passed` to `hits`, which has space for 32; returns
// their number. Few hits are stored one by one, many four at a time.
inline size_t append_hits(const uint16_t* sums, uint32_t passed, uint32_t first, ScanHit* hits) {
  constexpr int kFew = 5;
  const int total = _mm_popcnt_u32(passed);
  if (total <= kFew) {
    for (; passed != 0; passed &= passed - 1) {
      const uint32_t lane = trailing_zeros(passed);
      hits->sum = sums[lane];
      (hits++)->row = first + lane;
    }
    return (size_t)total;
  }
  __m256i rows =
      _mm256_setr_epi32(0, (int)first, 0, (int)first + 1, 0, (int)first + 2, 0, (int)first + 3);
  const __m256i next_rows = _mm256_set1_epi64x(4ll << 32);
  for (size_t lane = 0; lane < kBlockRows; lane += 4, passed >>= 4) {
    const __m256i pairs = _mm256_or_si256(
        rows, _mm256_cvtepu16_epi64(_mm_loadl_epi64((const __m128i*)(sums + lane))));
    const __m256i together = _mm256_permutevar8x32_epi32(
        pairs, _mm256_load_si256((const __m256i*)kCompress[passed & 15]));
    _mm256_storeu_si256((__m256i*)hits, together);
    hits += _mm_popcnt_u32(passed & 15);
    rows = _mm256_add_epi64(rows, next_rows);
  }
  return (size_t)total;
}

uint32_t scan_tables(const ScanRange& range, const uint8_t* tables, uint32_t threshold,
                     ScanHit* hits, size_t capacity, size_t* count) {
  if (range.rows == 0) return 0;
  if (threshold > kMaxSum) return range.rows;
  const __m256i below = _mm256_set1_epi16((short)((int)threshold - 1));
  __m256i nibble = _mm256_set1_epi8(15), ones = _mm256_set1_epi8(1);
  CORVID_KEEP(nibble);
  CORVID_KEEP(ones);
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
    __m256i outer = _mm256_setzero_si256(), inner = _mm256_setzero_si256();
    CORVID_UNROLL(8)
    for (size_t byte = 0; byte < kPlane64Bytes; ++byte) {
      add_look_ups(codes + byte * kBlockRows, tables + 2 * byte * kTableEntries, nibble, ones,
                   &outer, &inner);
    }
    // Packing the comparisons to bytes brings the lanes into row order.
    const __m256i pass =
        _mm256_packs_epi16(_mm256_cmpgt_epi16(outer, below), _mm256_cmpgt_epi16(inner, below));
    const uint32_t passed = (uint32_t)_mm256_movemask_epi8(pass) & wanted;
    if (passed == 0) continue;
    alignas(32) uint16_t sums[kBlockRows];
    _mm_store_si128((__m128i*)sums, _mm256_castsi256_si128(outer));
    _mm_store_si128((__m128i*)(sums + 8), _mm256_castsi256_si128(inner));
    _mm_store_si128((__m128i*)(sums + 16), _mm256_extracti128_si256(outer, 1));
    _mm_store_si128((__m128i*)(sums + 24), _mm256_extracti128_si256(inner, 1));
    stored += append_hits(sums, passed, (uint32_t)(row - range.first_row), hits + stored);
  }
  *count = stored;
  return range.rows;
}

// Differing bits of `words` and `query`, counted per byte by shuffle (Muła, Kurz and
// Lemire, "Faster population counts using AVX2 instructions", 2016) and added per 64-bit word.
inline __m256i count_bits(__m256i words, __m256i query) {
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2,
                                         1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i bits = _mm256_xor_si256(words, query);
  const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(bits, nibble));
  const __m256i high =
      _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(bits, 4), nibble));
  return _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256());
}

// Distances of sixteen rows of one word each.
inline void hamming_of_words(const uint8_t* codes, __m256i query, uint16_t* distances) {
  __m256i sums = count_bits(load(codes), query);
  sums = _mm256_or_si256(sums, _mm256_slli_epi64(count_bits(load(codes + 32), query), 16));
  sums = _mm256_or_si256(sums, _mm256_slli_epi64(count_bits(load(codes + 64), query), 32));
  sums = _mm256_or_si256(sums, _mm256_slli_epi64(count_bits(load(codes + 96), query), 48));
  // Word i holds rows i, i + 4, i + 8, i + 12. Words 0 and 2 give the even rows, 1 and 3 the odd.
  const __m256i together = _mm256_permute4x64_epi64(sums, _MM_SHUFFLE(3, 1, 2, 0));
  const __m256i interleaved =
      _mm256_shuffle_epi8(together, _mm256_broadcastsi128_si256(_mm_setr_epi8(
                                        0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15)));
  const __m128i even = _mm256_castsi256_si128(interleaved);
  const __m128i odd = _mm256_extracti128_si256(interleaved, 1);
  _mm_storeu_si128((__m128i*)distances, _mm_unpacklo_epi16(even, odd));
  _mm_storeu_si128((__m128i*)(distances + 8), _mm_unpackhi_epi16(even, odd));
}

// Word by word, which saturates memory bandwidth from two words on. `words` is a constant where
// this is inlined.
CORVID_INLINE void hamming_of(size_t words, const uint8_t* codes, size_t rows, const uint8_t* query,
                              uint16_t* distances) {
  for (size_t r = 0; r < rows; ++r, codes += 8 * words) {
    uint64_t sum = 0;
    for (size_t word = 0; word < words; ++word) {
      sum += (uint64_t)_mm_popcnt_u64(xor_word(codes + 8 * word, query + 8 * word));
    }
    distances[r] = (uint16_t)sum;
  }
}

void hamming(const uint8_t* codes, size_t stride, size_t rows, const uint8_t* query,
             uint16_t* distances) {
  // A copy, so that the compiler knows that writing `distances` cannot change it.
  uint8_t query_copy[128];
  memcpy(query_copy, query, stride);
  if (stride == 8) {
    long long word;
    memcpy(&word, query, 8);
    const __m256i repeated = _mm256_set1_epi64x(word);
    for (; rows >= 16; rows -= 16, codes += 128, distances += 16) {
      hamming_of_words(codes, repeated, distances);
    }
  }
  hamming_by(hamming_of, codes, stride, rows, query_copy, distances);
}

// All ones in the 16-bit lanes that are not above `bound`.
inline __m128i at_most(const uint16_t* distances, __m128i bound) {
  return _mm_cmpeq_epi16(_mm_subs_epu16(_mm_load_si128((const __m128i*)distances), bound),
                         _mm_setzero_si128());
}

inline size_t append_near(const uint16_t* distances, uint16_t threshold, uint32_t wanted,
                          uint32_t first, ScanHit* hits) {
  const __m128i bound = _mm_set1_epi16((short)threshold);
  const __m128i low = _mm_packs_epi16(at_most(distances, bound), at_most(distances + 8, bound));
  const __m128i high =
      _mm_packs_epi16(at_most(distances + 16, bound), at_most(distances + 24, bound));
  const uint32_t near = (uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high) << 16;
  if ((near & wanted) == 0) return 0;
  return append_hits(distances, near & wanted, first, hits);
}

uint32_t scan_hamming(const uint8_t* codes, size_t stride, uint64_t first_row, uint32_t rows,
                      const uint8_t* query, uint32_t threshold, const uint8_t* filter,
                      ScanHit* hits, size_t capacity, size_t* count) {
  return scan_hamming_by(hamming, append_near, codes, stride, first_row, rows, query, threshold,
                         filter, hits, capacity, count);
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

CORVID_INLINE int32_t sum_of(__m256i sums) {
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1));
  return _mm_cvtsi128_si32(four);
}

// Entry `index` (its lowest four bits) of a table of sixteen, for eight lanes.
inline __m256 look_up(const float* table, __m256i index) {
  const __m256 first = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), index);
  const __m256 last = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table + 8), index);
  return _mm256_blendv_ps(first, last, _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)));
}

void sum_codes(const uint8_t* codes, const float* tables, float* sums) {
  for (size_t half = 0; half < 16; half += 8) {
    __m256 total = _mm256_setzero_ps();
    for (size_t j = 0; j < kPlane64Bytes; ++j) {
      const float* const byte_tables = tables + 2 * j * kTableEntries;
      const __m256i bytes =
          _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)(codes + 16 * j + half)));
      const __m256 low = look_up(byte_tables, bytes);
      const __m256 high = look_up(byte_tables + kTableEntries, _mm256_srli_epi32(bytes, 4));
      total = _mm256_add_ps(total, _mm256_add_ps(low, high));
    }
    _mm256_storeu_ps(sums + half, total);
  }
}

// A register holds, for each of sixteen coordinates, the sixteen bits that contain its window;
// multiplying by a power of two moves the window to the top. Coordinates are distributed over the
// two registers so that packing to bytes restores their order.
int32_t trellis_dot(const uint8_t* code, const int16_t* z, size_t bits) {
  const __m256i first = _mm256_setr_epi8(0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1,  //
                                         2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3);
  const __m256i last = _mm256_add_epi8(first, _mm256_set1_epi8(1));
  const __m256i powers = _mm256_setr_epi16(128, 64, 32, 16, 8, 4, 2, 1,  //
                                           128, 64, 32, 16, 8, 4, 2, 1);
  __m256i tables[4], sums = _mm256_setzero_si256();
  for (int i = 0; i < 4; ++i) {
    const __m128i* quarter = (const __m128i*)(kTrellisValues + 16 * i);
    tables[i] = _mm256_broadcastsi128_si256(_mm_load_si128(quarter));
  }
  uint8_t padded[48] = {0};  // a byte of zeros before the code
  memcpy(padded + 1, code, bits / 8);
  for (size_t i = 0; i < bits; i += 32) {
    const __m256i bytes =
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)(padded + i / 8)));
    const __m256i a = _mm256_mullo_epi16(_mm256_shuffle_epi8(bytes, first), powers);
    const __m256i b = _mm256_mullo_epi16(_mm256_shuffle_epi8(bytes, last), powers);
    const __m256i windows = _mm256_packus_epi16(_mm256_srli_epi16(a, 10), _mm256_srli_epi16(b, 10));
    const __m256i bit_4 = _mm256_slli_epi16(windows, 3), bit_5 = _mm256_slli_epi16(windows, 2);
    const __m256i low = _mm256_blendv_epi8(_mm256_shuffle_epi8(tables[0], windows),
                                           _mm256_shuffle_epi8(tables[1], windows), bit_4);
    const __m256i high = _mm256_blendv_epi8(_mm256_shuffle_epi8(tables[2], windows),
                                            _mm256_shuffle_epi8(tables[3], windows), bit_4);
    const __m256i values = _mm256_blendv_epi8(low, high, bit_5);
    const __m256i words[2] = {_mm256_cvtepi8_epi16(_mm256_castsi256_si128(values)),
                              _mm256_cvtepi8_epi16(_mm256_extracti128_si256(values, 1))};
    for (int half = 0; half < 2; ++half) {
      const __m256i factors = _mm256_loadu_si256((const __m256i*)(z + i + 16 * half));
      sums = _mm256_add_epi32(sums, _mm256_madd_epi16(words[half], factors));
    }
  }
  return sum_of(sums);
}

// Bytes are at most 127 in magnitude, so sums of two products fit 16 bits.
CORVID_INLINE void row_products(size_t count, const int8_t* vectors, const int8_t* row, size_t dims,
                                int32_t* out, size_t stride) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[4];
  for (size_t v = 0; v < count; ++v) sums[v] = _mm256_setzero_si256();
  size_t d = 0;
  for (; d + 32 <= dims; d += 32) {
    const __m256i bytes = _mm256_loadu_si256((const __m256i*)(row + d));
    const __m256i sizes = _mm256_abs_epi8(bytes);
    for (size_t v = 0; v < count; ++v) {
      const __m256i vector = _mm256_loadu_si256((const __m256i*)(vectors + v * dims + d));
      const __m256i pairs = _mm256_maddubs_epi16(sizes, _mm256_sign_epi8(vector, bytes));
      sums[v] = _mm256_add_epi32(sums[v], _mm256_madd_epi16(pairs, ones));
    }
  }
  for (size_t v = 0; v < count; ++v) {
    out[v * stride] = sum_of(sums[v]) + product_rest(vectors + v * dims, row, d, dims);
  }
}

void products_i8(const int8_t* vectors, size_t vector_count, const int8_t* rows, size_t row_count,
                 size_t dims, int32_t* out) {
  products_i8_by(row_products, vectors, vector_count, rows, row_count, dims, out);
}

#include "simd/x86_64/avx2_panels.h"
#include "simd/x86_64/transpose.h"

// A 6 x 16 tile: twelve accumulators, two registers of B, one of A.
void multiply_tile(size_t depth, const float* a, const float* b, float* c, size_t ldc,
                   bool accumulate) {
  __m256 sums[6][2];
  CORVID_UNROLL(6)
  for (int r = 0; r < 6; ++r) {
    const float* row = c + (size_t)r * ldc;
    sums[r][0] = accumulate ? _mm256_loadu_ps(row) : _mm256_setzero_ps();
    sums[r][1] = accumulate ? _mm256_loadu_ps(row + 8) : _mm256_setzero_ps();
  }
  for (size_t d = 0; d < depth; ++d, a += 6, b += 16) {
    const __m256 b0 = _mm256_load_ps(b), b1 = _mm256_load_ps(b + 8);
    CORVID_UNROLL(6)
    for (int r = 0; r < 6; ++r) {
      const __m256 factor = _mm256_broadcast_ss(a + r);
      sums[r][0] = _mm256_fmadd_ps(factor, b0, sums[r][0]);
      sums[r][1] = _mm256_fmadd_ps(factor, b1, sums[r][1]);
    }
  }
  CORVID_UNROLL(6)
  for (int r = 0; r < 6; ++r) {
    _mm256_storeu_ps(c + (size_t)r * ldc, sums[r][0]);
    _mm256_storeu_ps(c + (size_t)r * ldc + 8, sums[r][1]);
  }
}

const GemmTile kTile = {6, 16, multiply_tile, transpose};

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

const Kernels kAvx2Kernels = {
    "avx2",        &kAvx2Loops,          scan_tables, hamming,        scan_hamming, dot,
    products_i8,   trellis_dot,          sum_codes,   panel_products, gemm_nt,      half_to_float,
    float_to_half, crc32c_by_instruction};

}  // namespace corvid

#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif

#endif  // CORVID_X86
