// Small pieces that every instruction set's file shares. All internal to the file that includes it,
// so that each copy is compiled for that file's instruction set; plain C only.
#ifndef CORVID_KERNELS_COMMON_H_
#define CORVID_KERNELS_COMMON_H_

#include <string.h>

#include "../kernels.h"

#ifdef _MSC_VER
#include <intrin.h>
#endif

// Before a loop over an array of registers: unrolls it whole. GCC otherwise unrolls it only after
// it has given the array a place in memory.
#if defined(__clang__)
#define CORVID_UNROLL(count) _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define CORVID_PRAGMA(text) _Pragma(#text)
#define CORVID_UNROLL(count) CORVID_PRAGMA(GCC unroll count)
#else
#define CORVID_UNROLL(count)
#endif

// Hides from the compiler where a register's content comes from, so that it neither makes a
// constant anew in every round of a loop nor reorders a sum.
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

// The order of sums that kernels.h lays down for dot products.
inline float reduce_partials(float* partial) {
  for (size_t width = 8; width > 0; width /= 2) {
    for (size_t i = 0; i < width; ++i) partial[i] += partial[i + width];
  }
  return partial[0];
}

// Bits of up to 32 rows of a filter from `row` on, which need not be a multiple of 8; reads only
// the 4-byte words in which those rows lie.
inline uint32_t filter_bits(const uint8_t* filter, uint64_t row, uint32_t rows) {
  const uint32_t shift = (uint32_t)(row % 32);
  const uint8_t* word = filter + row / 32 * 4;
  uint32_t low, high = 0;
  memcpy(&low, word, 4);
  if (shift + rows > 32) memcpy(&high, word + 4, 4);
  return shift == 0 ? low : low >> shift | high << (32 - shift);
}

// Kernels::scan_hamming by way of an instruction set's own two steps: the distances of up to 32
// rows, and the hits of the rows that are both `wanted` and no farther than the threshold, appended
// at `hits` (which has 32 places); `first` is the number of the first row. It returns their count.
CORVID_INLINE uint32_t scan_hamming_by(
    void (*distances_of)(const uint8_t* codes, size_t stride, size_t rows, const uint8_t* query,
                         uint16_t* distances),
    size_t (*append_near)(const uint16_t* distances, uint16_t threshold, uint32_t wanted,
                          uint32_t first, ScanHit* hits),
    const uint8_t* codes, size_t stride, uint64_t first_row, uint32_t rows, const uint8_t* query,
    uint32_t threshold, const uint8_t* filter, ScanHit* hits, size_t capacity, size_t* count) {
  const uint16_t wall = threshold > 0xFFFF ? 0xFFFF : (uint16_t)threshold;
  alignas(64) uint16_t distances[kBlockRows] = {};
  size_t stored = *count;
  uint32_t start = 0;
  for (; start < rows && capacity - stored >= kBlockRows; start += kBlockRows) {
    const uint32_t block = rows - start < kBlockRows ? rows - start : kBlockRows;
    uint32_t wanted = 0xFFFFFFFFu >> (kBlockRows - block);
    if (filter != nullptr) wanted &= filter_bits(filter, first_row + start, block);
    if (wanted == 0) continue;
    distances_of(codes + (size_t)start * stride, stride, block, query, distances);
    stored += append_near(distances, wall, wanted, start, hits + stored);
  }
  *count = stored;
  return start < rows ? start : rows;
}

}  // namespace
}  // namespace corvid

#endif  // CORVID_KERNELS_COMMON_H_
