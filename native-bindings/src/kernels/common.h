// Small pieces that every instruction set's file shares. All internal to the file that includes it,
// so that each copy is compiled for that file's instruction set; plain C only.
#ifndef CORVID_KERNELS_COMMON_H_
#define CORVID_KERNELS_COMMON_H_

#include <string.h>

#include "../kernels.h"

#ifdef _MSC_VER
#include <intrin.h>
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

// Kernels::scan_hamming by way of distances of 32 rows at a time.
inline uint32_t scan_hamming_by(
    void (*distances_of)(const uint8_t*, size_t, size_t, const uint8_t*, uint16_t*),
    const uint8_t* codes, size_t stride, uint64_t first_row, uint32_t rows, const uint8_t* query,
    uint32_t threshold, const uint8_t* filter, ScanHit* hits, size_t capacity, size_t* count) {
  uint16_t distances[kBlockRows];
  for (uint32_t start = 0; start < rows; start += kBlockRows) {
    if (capacity - *count < kBlockRows) return start;
    const uint32_t block = rows - start < kBlockRows ? rows - start : kBlockRows;
    distances_of(codes + (size_t)start * stride, stride, block, query, distances);
    for (uint32_t r = 0; r < block; ++r) {
      if (distances[r] > threshold) continue;
      const uint64_t row = first_row + start + r;
      if (filter != nullptr && (filter[row / 8] >> (row % 8) & 1) == 0) continue;
      hits[*count].sum = distances[r];
      hits[(*count)++].row = start + r;
    }
  }
  return rows;
}

}  // namespace
}  // namespace corvid

#endif  // CORVID_KERNELS_COMMON_H_
