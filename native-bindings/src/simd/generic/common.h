// Helpers shared by the kernels of every instruction set. They are internal to the including file,
// so that each copy is compiled for that file's instruction set; plain C only.
#ifndef CORVID_SIMD_GENERIC_COMMON_H_
#define CORVID_SIMD_GENERIC_COMMON_H_

#include <string.h>

#include "simd/contract.h"
#include "simd/trellis_values.h"

#ifdef _MSC_VER
#include <intrin.h>
#endif

// Fully unrolls the following loop over an array of registers. Without it, GCC unrolls the loop
// only after it has put the array in memory.
#if defined(__clang__)
#define CORVID_UNROLL(count) _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define CORVID_PRAGMA(text) _Pragma(#text)
#define CORVID_UNROLL(count) CORVID_PRAGMA(GCC unroll count)
#else
#define CORVID_UNROLL(count)
#endif

// Hides the origin of a register's value from the compiler, so that it neither rematerialises a
// constant in every iteration of a loop nor reorders a sum.
#ifdef _MSC_VER
#define CORVID_KEEP(vector)
#else
#define CORVID_KEEP(vector) __asm__("" : "+v"(vector))
#endif

#ifdef _MSC_VER
#define CORVID_INLINE static __forceinline
#else
#define CORVID_INLINE static inline __attribute__((always_inline))
#endif

namespace corvid {
namespace {

constexpr uint32_t kMaxSum = 16 * 255;

// Position of the lowest set bit; `bits` is not 0.
inline uint32_t trailing_zeros(uint32_t bits) {
#ifdef _MSC_VER
  unsigned long position;
  _BitScanForward(&position, bits);
  return position;
#else
  return (uint32_t)__builtin_ctz(bits);
#endif
}

// Which of the 32 rows from `row`, the first of a block, lie in `range` (which ends before `end`)
// and pass its filter.
inline uint32_t wanted_rows(const ScanRange& range, uint64_t row, uint64_t end) {
  uint32_t wanted = 0xFFFFFFFFu;
  if (row < range.first_row) wanted &= 0xFFFFFFFFu << (range.first_row - row);
  if (end - row < kBlockRows) wanted &= 0xFFFFFFFFu >> (kBlockRows - (end - row));
  if (range.filter != nullptr) {
    uint32_t bits;
    memcpy(&bits, range.filter + row / 8, 4);
    wanted &= bits;
  }
  return wanted;
}

inline uint64_t xor_word(const uint8_t* a, const uint8_t* b) {
  uint64_t x, y;
  memcpy(&x, a, 8);
  memcpy(&y, b, 8);
  return x ^ y;
}

// Sums sixteen partials in the order that simd/contract.h specifies for dot products.
inline float reduce_partials(float* partial) {
  for (size_t width = 8; width > 0; width /= 2) {
    for (size_t i = 0; i < width; ++i) partial[i] += partial[i + width];
  }
  return partial[0];
}

// Filter bits of up to 32 rows from `row` on, which need not be a multiple of 8. Reads only the
// 4-byte words that hold these rows.
inline uint32_t filter_bits(const uint8_t* filter, uint64_t row, uint32_t rows) {
  const uint32_t shift = (uint32_t)(row % 32);
  const uint8_t* word = filter + row / 32 * 4;
  uint32_t low, high = 0;
  memcpy(&low, word, 4);
  if (shift + rows > 32) memcpy(&high, word + 4, 4);
  return shift == 0 ? low : low >> shift | high << (32 - shift);
}

// Kernels::hamming by `hamming_of`, which is inlined for every possible number of words in a code,
// so that its loop counts and masks are constants.
CORVID_INLINE void hamming_by(void (*hamming_of)(size_t words, const uint8_t* codes, size_t rows,
                                                 const uint8_t* query, uint16_t* distances),
                              const uint8_t* codes, size_t stride, size_t rows,
                              const uint8_t* query, uint16_t* distances) {
  switch (stride / 8) {
    case 1:
      return hamming_of(1, codes, rows, query, distances);
    case 2:
      return hamming_of(2, codes, rows, query, distances);
    case 3:
      return hamming_of(3, codes, rows, query, distances);
    case 4:
      return hamming_of(4, codes, rows, query, distances);
    case 5:
      return hamming_of(5, codes, rows, query, distances);
    case 6:
      return hamming_of(6, codes, rows, query, distances);
    case 7:
      return hamming_of(7, codes, rows, query, distances);
    case 8:
      return hamming_of(8, codes, rows, query, distances);
    case 9:
      return hamming_of(9, codes, rows, query, distances);
    case 10:
      return hamming_of(10, codes, rows, query, distances);
    case 11:
      return hamming_of(11, codes, rows, query, distances);
    case 12:
      return hamming_of(12, codes, rows, query, distances);
    case 13:
      return hamming_of(13, codes, rows, query, distances);
    case 14:
      return hamming_of(14, codes, rows, query, distances);
    case 15:
      return hamming_of(15, codes, rows, query, distances);
    case 16:
      return hamming_of(16, codes, rows, query, distances);
  }
}

// The tail of products_i8 after the whole registers: the sum over bytes [first, dims).
inline int32_t product_rest(const int8_t* a, const int8_t* b, size_t first, size_t dims) {
  int32_t sum = 0;
  for (size_t d = first; d < dims; ++d) sum += a[d] * b[d];
  return sum;
}

// Kernels::products_i8 by `products_of`, which multiplies one row with `count` vectors (1 to 4,
// inlined for each) and writes the products with a stride of `row_count`.
CORVID_INLINE void products_i8_by(void (*products_of)(size_t count, const int8_t* vectors,
                                                      const int8_t* row, size_t dims, int32_t* out,
                                                      size_t stride),
                                  const int8_t* vectors, size_t vector_count, const int8_t* rows,
                                  size_t row_count, size_t dims, int32_t* out) {
  for (size_t v = 0; v < vector_count; v += 4) {
    const int8_t* const first = vectors + v * dims;
    int32_t* const to = out + v * row_count;
    for (size_t r = 0; r < row_count; ++r) {
      const int8_t* const row = rows + r * dims;
      switch (vector_count - v) {
        case 1:
          products_of(1, first, row, dims, to + r, row_count);
          break;
        case 2:
          products_of(2, first, row, dims, to + r, row_count);
          break;
        case 3:
          products_of(3, first, row, dims, to + r, row_count);
          break;
        default:
          products_of(4, first, row, dims, to + r, row_count);
      }
    }
  }
}

// Kernels::scan_hamming by two functions of an instruction set: `distances_of` computes the
// distances of some rows; `append_near` writes to `hits` (with space for 32) those of 32 rows that
// are both `wanted` and within the threshold, numbered from `first`, and returns how many they are.
CORVID_INLINE uint32_t scan_hamming_by(
    void (*distances_of)(const uint8_t* codes, size_t stride, size_t rows, const uint8_t* query,
                         uint16_t* distances),
    size_t (*append_near)(const uint16_t* distances, uint16_t threshold, uint32_t wanted,
                          uint32_t first, ScanHit* hits),
    const uint8_t* codes, size_t stride, uint64_t first_row, uint32_t rows, const uint8_t* query,
    uint32_t threshold, const uint8_t* filter, ScanHit* hits, size_t capacity, size_t* count) {
  constexpr uint32_t kChunkRows = 8 * kBlockRows;  // enough to amortise preparing the query
  const uint16_t bound = threshold > 0xFFFF ? 0xFFFF : (uint16_t)threshold;
  alignas(64) uint16_t distances[kChunkRows] = {};
  for (uint32_t chunk = 0; chunk < rows; chunk += kChunkRows) {
    const uint32_t end = rows - chunk < kChunkRows ? rows : chunk + kChunkRows;
    distances_of(codes + (size_t)chunk * stride, stride, end - chunk, query, distances);
    for (uint32_t start = chunk; start < end; start += kBlockRows) {
      if (capacity - *count < kBlockRows) return start;
      const uint32_t block = end - start < kBlockRows ? end - start : kBlockRows;
      uint32_t wanted = 0xFFFFFFFFu >> (kBlockRows - block);
      if (filter != nullptr) wanted &= filter_bits(filter, first_row + start, block);
      *count += append_near(distances + (start - chunk), bound, wanted, start, hits + *count);
    }
  }
  return rows;
}

}  // namespace
}  // namespace corvid

#endif  // CORVID_SIMD_GENERIC_COMMON_H_
