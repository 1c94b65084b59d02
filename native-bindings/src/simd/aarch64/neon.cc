// The kernels for arm64 with NEON, which every arm64 processor has.
//
// scan_tables: as in x86_64/avx2.cc, with sixteen rows per register: `tbl` looks up, and widening
// adds sum.
#include "simd/levels.h"

#ifdef CORVID_ARM64

#include <arm_neon.h>
#ifdef __ARM_FEATURE_CRC32
#include <arm_acle.h>
#endif
#include <string.h>

#include "simd/generic/common.h"
#include "simd/generic/crc32c.h"
#include "simd/generic/gemm.h"

namespace corvid {
namespace {

// Sums of the sixteen rows at `codes` (a block's first or second half), in row order.
inline void sum_half_block(const uint8_t* codes, const uint8_t* tables, uint16x8_t* low,
                           uint16x8_t* high) {
  const uint8x16_t nibble = vdupq_n_u8(15);
  *low = vdupq_n_u16(0);
  *high = vdupq_n_u16(0);
  for (size_t byte = 0; byte < kPlane64Bytes; ++byte) {
    const uint8x16_t code = vld1q_u8(codes + byte * kBlockRows);
    const uint8_t* pair = tables + 2 * byte * kTableEntries;
    const uint8x16_t a = vqtbl1q_u8(vld1q_u8(pair), vandq_u8(code, nibble));
    const uint8x16_t b = vqtbl1q_u8(vld1q_u8(pair + kTableEntries), vshrq_n_u8(code, 4));
    *low = vaddq_u16(*low, vaddl_u8(vget_low_u8(a), vget_low_u8(b)));
    *high = vaddq_u16(*high, vaddl_high_u8(a, b));
  }
}

// Bit i of the result is lane i of a comparison, whose lanes are all ones or all zeros.
inline uint32_t mask_of(uint16x8_t pass) {
  const uint16_t weights[8] = {1, 2, 4, 8, 16, 32, 64, 128};
  return vaddvq_u16(vandq_u16(pass, vld1q_u16(weights)));
}

// Appends (sum, first + lane) for the lanes in `passed` to `hits`; returns their number.
inline size_t append_hits(const uint16_t* sums, uint32_t passed, uint32_t first, ScanHit* hits) {
  size_t stored = 0;
  for (; passed != 0; passed &= passed - 1) {
    const uint32_t lane = trailing_zeros(passed);
    hits[stored].sum = sums[lane];
    hits[stored++].row = first + lane;
  }
  return stored;
}

uint32_t scan_tables(const ScanRange& range, const uint8_t* tables, uint32_t threshold,
                     ScanHit* hits, size_t capacity, size_t* count) {
  if (range.rows == 0) return 0;
  if (threshold > kMaxSum) return range.rows;
  const uint16x8_t bound = vdupq_n_u16((uint16_t)threshold);
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
    uint16x8_t sums[4];
    sum_half_block(codes, tables, &sums[0], &sums[1]);
    sum_half_block(codes + 16, tables, &sums[2], &sums[3]);
    uint32_t passed = 0;
    for (int i = 0; i < 4; ++i) passed |= mask_of(vcgeq_u16(sums[i], bound)) << (8 * i);
    passed &= wanted;
    if (passed == 0) continue;
    uint16_t ordered[kBlockRows];
    for (int i = 0; i < 4; ++i) vst1q_u16(ordered + 8 * i, sums[i]);
    stored += append_hits(ordered, passed, (uint32_t)(row - range.first_row), hits + stored);
  }
  *count = stored;
  return range.rows;
}

// Differing bits of a and b, counted per byte, in 16 bytes or in the last 8.
inline uint8x16_t count_bits(const uint8_t* a, const uint8_t* b) {
  return vcntq_u8(veorq_u8(vld1q_u8(a), vld1q_u8(b)));
}
inline uint8x16_t count_last_bits(const uint8_t* a, const uint8_t* b) {
  return vcombine_u8(vcnt_u8(veor_u8(vld1_u8(a), vld1_u8(b))), vdup_n_u8(0));
}

// Differing bits of one row, in eight partial sums. A byte of `counts` sums at most 8 bytes of 8
// bits, so it does not overflow.
inline uint16x8_t partial_distance(const uint8_t* code, size_t stride, const uint8_t* query) {
  uint8x16_t counts = vdupq_n_u8(0);
  size_t byte = 0;
  for (; byte + 16 <= stride; byte += 16) {
    counts = vaddq_u8(counts, count_bits(code + byte, query + byte));
  }
  if (byte < stride) counts = vaddq_u8(counts, count_last_bits(code + byte, query + byte));
  return vpaddlq_u8(counts);
}

void hamming(const uint8_t* codes, size_t stride, size_t rows, const uint8_t* query,
             uint16_t* distances) {
  size_t r = 0;
  for (; r + 8 <= rows; r += 8) {
    uint16x8_t sums[8];
    CORVID_UNROLL(8)
    for (size_t i = 0; i < 8; ++i) {
      sums[i] = partial_distance(codes + (r + i) * stride, stride, query);
    }
    for (size_t width = 4; width > 0; width /= 2) {
      for (size_t i = 0; i < width; ++i) sums[i] = vpaddq_u16(sums[2 * i], sums[2 * i + 1]);
    }
    vst1q_u16(distances + r, sums[0]);
  }
  for (; r < rows; ++r) {
    distances[r] = vaddvq_u16(partial_distance(codes + r * stride, stride, query));
  }
}

inline size_t append_near(const uint16_t* distances, uint16_t threshold, uint32_t wanted,
                          uint32_t first, ScanHit* hits) {
  const uint16x8_t bound = vdupq_n_u16(threshold);
  uint32_t near = 0;
  for (int i = 0; i < 4; ++i)
    near |= mask_of(vcleq_u16(vld1q_u16(distances + 8 * i), bound)) << (8 * i);
  return append_hits(distances, near & wanted, first, hits);
}

uint32_t scan_hamming(const uint8_t* codes, size_t stride, uint64_t first_row, uint32_t rows,
                      const uint8_t* query, uint32_t threshold, const uint8_t* filter,
                      ScanHit* hits, size_t capacity, size_t* count) {
  return scan_hamming_by(hamming, append_near, codes, stride, first_row, rows, query, threshold,
                         filter, hits, capacity, count);
}

inline float reduce(const float32x4_t* sums, const float* a, const float* rest, size_t tail) {
  float partial[16];
  for (int i = 0; i < 4; ++i) vst1q_f32(partial + 4 * i, sums[i]);
  for (size_t i = 0; i < tail; ++i) partial[i] += a[i] * rest[i];
  return reduce_partials(partial);
}

float dot(const float* a, const float* b, size_t dims) {
  float32x4_t sums[4] = {vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0)};
  size_t d = 0;
  for (; d + 16 <= dims; d += 16) {
    for (int i = 0; i < 4; ++i) {
      sums[i] = vaddq_f32(sums[i], vmulq_f32(vld1q_f32(a + d + 4 * i), vld1q_f32(b + d + 4 * i)));
    }
  }
  return reduce(sums, a + d, b + d, dims - d);
}

// Scalar loads: a table of floats fills four registers, and looking up floats bytewise in four
// registers costs more than the loads.
void sum_codes(const uint8_t* codes, const float* tables, float* sums) {
  for (size_t r = 0; r < 16; ++r) sums[r] = 0;
  for (size_t j = 0; j < kPlane64Bytes; ++j) {
    const float* const low = tables + 2 * j * kTableEntries;
    const float* const high = low + kTableEntries;
    for (size_t r = 0; r < 16; ++r) {
      const uint8_t byte = codes[16 * j + r];
      sums[r] += low[byte & 15] + high[byte >> 4];
    }
  }
}

int32_t trellis_dot(const uint8_t* code, const int16_t* z, size_t bits) {
  // Sixteen coordinates per iteration: the windows of the first eight lie in bytes 0 and 1 of
  // `bytes` (byte 0 is the one before), those of the others in bytes 1 and 2.
  const uint8x16_t first = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
  const uint8x16_t last = vaddq_u8(first, vdupq_n_u8(1));
  const int16x8_t shifts = {-3, -4, -5, -6, -7, -8, -9, -10};
  const int8x16x4_t table = vld1q_s8_x4(kTrellisValues);
  uint8_t padded[48] = {0};  // a byte of zeros before the code
  memcpy(padded + 1, code, bits / 8);
  int32x4_t sums = vdupq_n_s32(0);
  for (size_t i = 0; i < bits; i += 16) {
    const uint8x16_t bytes = vld1q_u8(padded + i / 8);
    const uint16x8_t a = vshlq_u16(vreinterpretq_u16_u8(vqtbl1q_u8(bytes, first)), shifts);
    const uint16x8_t b = vshlq_u16(vreinterpretq_u16_u8(vqtbl1q_u8(bytes, last)), shifts);
    const uint8x16_t both = vcombine_u8(vmovn_u16(a), vmovn_u16(b));
    const int8x16_t values = vqtbl4q_s8(table, vandq_u8(both, vdupq_n_u8(63)));
    const int16x8_t words[2] = {vmovl_s8(vget_low_s8(values)), vmovl_high_s8(values)};
    for (int half = 0; half < 2; ++half) {
      const int16x8_t factors = vld1q_s16(z + i + 8 * half);
      sums = vmlal_s16(sums, vget_low_s16(words[half]), vget_low_s16(factors));
      sums = vmlal_high_s16(sums, words[half], factors);
    }
  }
  return vaddvq_s32(sums);
}

CORVID_INLINE void row_products(size_t count, const int8_t* vectors, const int8_t* row, size_t dims,
                                int32_t* out, size_t stride) {
  int32x4_t sums[4];
  for (size_t v = 0; v < count; ++v) sums[v] = vdupq_n_s32(0);
  size_t d = 0;
  for (; d + 16 <= dims; d += 16) {
    const int8x16_t bytes = vld1q_s8(row + d);
    for (size_t v = 0; v < count; ++v) {
      const int8x16_t vector = vld1q_s8(vectors + v * dims + d);
      sums[v] = vpadalq_s16(sums[v], vmull_s8(vget_low_s8(bytes), vget_low_s8(vector)));
      sums[v] = vpadalq_s16(sums[v], vmull_high_s8(bytes, vector));
    }
  }
  for (size_t v = 0; v < count; ++v) {
    out[v * stride] = vaddvq_s32(sums[v]) + product_rest(vectors + v * dims, row, d, dims);
  }
}

void products_i8(const int8_t* vectors, size_t vector_count, const int8_t* rows, size_t row_count,
                 size_t dims, int32_t* out) {
  products_i8_by(row_products, vectors, vector_count, rows, row_count, dims, out);
}

#include "simd/aarch64/neon_panels.h"

// GemmTile::transpose, in blocks of 4 x 4.
void transpose(const float* from, size_t stride, size_t depth, float* to, size_t width) {
  size_t d = 0;
  for (; d + 4 <= depth; d += 4) {
    const float32x4x2_t a = vtrnq_f32(vld1q_f32(from + d), vld1q_f32(from + stride + d));
    const float32x4x2_t b =
        vtrnq_f32(vld1q_f32(from + 2 * stride + d), vld1q_f32(from + 3 * stride + d));
    for (int i = 0; i < 2; ++i) {
      vst1q_f32(to + (d + (size_t)i) * width,
                vcombine_f32(vget_low_f32(a.val[i]), vget_low_f32(b.val[i])));
      vst1q_f32(to + (d + (size_t)i + 2) * width,
                vcombine_f32(vget_high_f32(a.val[i]), vget_high_f32(b.val[i])));
    }
  }
  for (; d < depth; ++d) {
    for (size_t r = 0; r < 4; ++r) to[d * width + r] = from[r * stride + d];
  }
}

// Adds the outer product of four elements of A and eight of B to a third of the tile.
CORVID_INLINE void add_four_rows(float32x4_t (*sums)[2], float32x4_t a, float32x4_t b0,
                                 float32x4_t b1) {
  sums[0][0] = vfmaq_laneq_f32(sums[0][0], b0, a, 0);
  sums[0][1] = vfmaq_laneq_f32(sums[0][1], b1, a, 0);
  sums[1][0] = vfmaq_laneq_f32(sums[1][0], b0, a, 1);
  sums[1][1] = vfmaq_laneq_f32(sums[1][1], b1, a, 1);
  sums[2][0] = vfmaq_laneq_f32(sums[2][0], b0, a, 2);
  sums[2][1] = vfmaq_laneq_f32(sums[2][1], b1, a, 2);
  sums[3][0] = vfmaq_laneq_f32(sums[3][0], b0, a, 3);
  sums[3][1] = vfmaq_laneq_f32(sums[3][1], b1, a, 3);
}

// A 12 x 8 tile: 24 accumulators, two registers of B, three of A.
void multiply_tile(size_t depth, const float* a, const float* b, float* c, size_t ldc,
                   bool accumulate) {
  float32x4_t sums[12][2];
  CORVID_UNROLL(12)
  for (size_t r = 0; r < 12; ++r) {
    for (size_t i = 0; i < 2; ++i) {
      sums[r][i] = accumulate ? vld1q_f32(c + r * ldc + 4 * i) : vdupq_n_f32(0);
    }
  }
  for (size_t d = 0; d < depth; ++d, a += 12, b += 8) {
    const float32x4_t b0 = vld1q_f32(b), b1 = vld1q_f32(b + 4);
    add_four_rows(sums, vld1q_f32(a), b0, b1);
    add_four_rows(sums + 4, vld1q_f32(a + 4), b0, b1);
    add_four_rows(sums + 8, vld1q_f32(a + 8), b0, b1);
  }
  CORVID_UNROLL(12)
  for (size_t r = 0; r < 12; ++r) {
    for (size_t i = 0; i < 2; ++i) vst1q_f32(c + r * ldc + 4 * i, sums[r][i]);
  }
}

const GemmTile kTile = {12, 8, multiply_tile, transpose};

void gemm_nt(size_t m, size_t n, size_t k, const float* a, size_t lda, const float* b, size_t ldb,
             float* c, size_t ldc, bool accumulate) {
  gemm_nt_blocked(kTile, m, n, k, a, lda, b, ldb, c, ldc, accumulate);
}

void half_to_float(const uint16_t* in, float* out, size_t count) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    vst1q_f32(out + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(in + i))));
  }
  uint16_t last[4] = {0, 0, 0, 0};
  float converted[4];
  memcpy(last, in + i, (count - i) * sizeof(uint16_t));
  vst1q_f32(converted, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(last))));
  memcpy(out + i, converted, (count - i) * sizeof(float));
}

void float_to_half(const float* in, uint16_t* out, size_t count) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    vst1_u16(out + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(in + i))));
  }
  float last[4] = {0, 0, 0, 0};
  uint16_t converted[4];
  memcpy(last, in + i, (count - i) * sizeof(float));
  vst1_u16(converted, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(last))));
  memcpy(out + i, converted, (count - i) * sizeof(uint16_t));
}

uint32_t crc32c(const uint8_t* data, size_t bytes, uint32_t crc) {
#ifdef __ARM_FEATURE_CRC32
  for (; bytes >= 8; bytes -= 8, data += 8) {
    uint64_t word;
    memcpy(&word, data, 8);
    crc = __crc32cd(crc, word);
  }
  for (; bytes > 0; --bytes, ++data) crc = __crc32cb(crc, *data);
  return crc;
#else
  return crc32c_by_table(data, bytes, crc);
#endif
}

}  // namespace

const Kernels kNeonKernels = {"neon",  &kGenericLoops, scan_tables,   hamming,   scan_hamming,
                              dot,     products_i8,    trellis_dot,   sum_codes, panel_products,
                              gemm_nt, half_to_float,  float_to_half, crc32c};

}  // namespace corvid

#endif  // CORVID_ARM64
