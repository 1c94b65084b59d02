// The kernel contract: the inner loops of corvid, one function pointer each, chosen once by
// simd/dispatch.cc.
//
// Every level (simd/generic, simd/x86_64, simd/aarch64) implements exactly what is specified here
// and in simd/loops.h. Each is tested against the scalar reference, bit by bit, over all lengths,
// tails and alignments. To make float results identical on all levels, the order of operations of
// every float kernel is specified below; multiplies and adds are separate (no fused multiply-add),
// except in gemm_nt, which always fuses. So an index is the same, byte for byte, whatever the level
// that built it.
//
// That holds on one machine. The C library's functions (pow, exp, log, hypot) are not kernels.
// Another library, or the same one on another processor, may round their last bit differently, so
// training may differ between machines.
//
// Pointers need no alignment unless stated. Kernels never read outside the ranges given here.
#ifndef CORVID_SIMD_CONTRACT_H_
#define CORVID_SIMD_CONTRACT_H_

#include <cstddef>
#include <cstdint>

#include "simd/loops.h"

namespace corvid {

constexpr size_t kBlockRows = 32;     // rows in one block of plane-64
constexpr size_t kPlane64Bytes = 8;   // bytes of one row in plane-64
constexpr size_t kBlockBytes = 256;   // kBlockRows * kPlane64Bytes
constexpr size_t kPanelVectors = 16;  // vectors of one panel of panel_products

// A row that passed the threshold of a scan; its list's base and scale are not yet applied.
struct ScanHit {
  uint32_t sum;  // sum of 16 table bytes, 0..4080
  uint32_t row;  // row relative to ScanRange::first_row
};

// A range of rows of one plane-64, such as a list's. Row r of the plane lives in block r / 32 at
// lane r % 32: byte j of the row's code is plane[(r / 32) * 256 + j * 32 + r % 32]; its low nibble
// is block 2j of the code, its high nibble block 2j + 1.
struct ScanRange {
  const uint8_t* plane;   // first byte of block 0 of the plane
  uint64_t first_row;     // in the plane; need not start a block
  uint32_t rows;          // from 0 to 2^31
  const uint8_t* filter;  // null, or bit (r % 8) of byte r / 8 keeps plane row r; padded to a
                          // multiple of 4 bytes
};

// The tile of C and the block of terms that define gemm_nt's order of summation.
constexpr size_t kGemmRows = 12;
constexpr size_t kGemmColumns = 32;
constexpr size_t kGemmDepth = 256;

struct Kernels {
  const char* name;  // "scalar", "avx2", "avx512", "amx", "neon"
  const Loops* loops;

  // Sums tables[16 * j + nibble_j(row)] over the 16 nibbles of each row of `range`, and appends
  // (sum, row) of every kept row with sum >= threshold to `hits`, rows ascending, until `capacity`
  // hits are stored. Returns the number of rows consumed: range.rows when done. It stops before a
  // block if fewer than 32 entries of `hits` are free; then it returns the number of rows before
  // that block, all of whose hits are stored, so that the caller can compact, raise the threshold
  // and continue. Entries of `hits` from *count to `capacity` may be overwritten.
  uint32_t (*scan_tables)(const ScanRange& range, const uint8_t* tables, uint32_t threshold,
                          ScanHit* hits, size_t capacity, size_t* count);

  // Hamming distances of `rows` packed rows (row-major, `stride` bytes each, 8 <= stride <= 128,
  // a multiple of 8) to `query`: distances[r] = popcount(codes[r] XOR query).
  void (*hamming)(const uint8_t* codes, size_t stride, size_t rows, const uint8_t* query,
                  uint16_t* distances);

  // The same, fused with a threshold: appends rows with distance <= threshold as
  // ScanHit{distance, row}, rows ascending; returns the rows consumed, as scan_tables does, in
  // blocks of 32 counted from the first of the `rows` (at most 2^31). `filter` is as in ScanRange;
  // row r has bit first_row + r.
  uint32_t (*scan_hamming)(const uint8_t* codes, size_t stride, uint64_t first_row, uint32_t rows,
                           const uint8_t* query, uint32_t threshold, const uint8_t* filter,
                           ScanHit* hits, size_t capacity, size_t* count);

  // Dot product with sixteen partial sums (element i goes to partial i % 16), reduced as
  // ((p0+p8)+(p4+p12)) + ... : s8[i] = p[i]+p[i+8] (8), s4[i] = s8[i]+s8[i+4] (4),
  // s2[i] = s4[i]+s4[i+2] (2), result = s2[0]+s2[1].
  float (*dot)(const float* a, const float* b, size_t dims);

  // Integer products of bytes: out[v * row_count + r] = sum over d of
  // vectors[v * dims + d] * rows[r * dims + d], exactly. Bytes lie within -127 .. 127 and dims is
  // at most 65536, so no sum exceeds 32 bits.
  void (*products_i8)(const int8_t* vectors, size_t vector_count, const int8_t* rows,
                      size_t row_count, size_t dims, int32_t* out);

  // Sum over i < bits of z[i] * kTrellisValues[window i of code], exactly (simd/trellis_values.h).
  // Bit i of the code is bit i % 8 of byte i / 8. Window i is bits i - 5 ... i, with bit i - 5
  // lowest; bits before the first are 0. `bits` is a multiple of 64, at most 256; |z| <= 32767.
  int32_t (*trellis_dot)(const uint8_t* code, const int16_t* z, size_t bits);

  // Sums the table look-ups of the 64-bit codes of sixteen rows; byte j of row r is
  // codes[16 * j + r]: sums[r] = sum over j = 0 … 7, in this order, of
  //   tables[32 * j + low nibble] + tables[32 * j + 16 + high nibble].
  void (*sum_codes)(const uint8_t* codes, const float* tables, float* sums);

  // Integer products of every row with every vector of the panels, exactly: with w = 16 p + i,
  // out[r * 16 * panel_count + w] = start[w] + sum over d of
  //   rows[r * depth + d] * panels[(p * depth + d / 4 * 4) * 16 + i * 4 + d % 4].
  // A panel interleaves sixteen vectors, four bytes at a time. `depth` is a multiple of 4 and at
  // most 32768; bytes of rows lie within 0 .. 127, those of panels within -127 .. 127, and no sum
  // exceeds 32 bits.
  void (*panel_products)(const uint8_t* rows, size_t row_count, size_t depth, const int8_t* panels,
                         size_t panel_count, const int32_t* start, int32_t* out);

  // C (m x n, leading dimension ldc) = A (m x k, lda) * B^T (B is n x k, ldb), plus C if
  // accumulate. The terms of an element are added in ascending order, each by one fused
  // multiply-add, in blocks of kGemmDepth terms. Within whole tiles of C (the first
  // m / kGemmRows * kGemmRows rows of the first n / kGemmColumns * kGemmColumns columns) a block
  // continues the sum of the previous block; the first one starts from C if accumulate, else from
  // 0. In the other rows and columns, which belong to partial tiles, every block starts from 0, and
  // its sum is added to that of the previous blocks, or to C.
  void (*gemm_nt)(size_t m, size_t n, size_t k, const float* a, size_t lda, const float* b,
                  size_t ldb, float* c, size_t ldc, bool accumulate);

  // IEEE half to float and back (round to nearest even), exact in every instruction set.
  void (*half_to_float)(const uint16_t* in, float* out, size_t count);
  void (*float_to_half)(const float* in, uint16_t* out, size_t count);

  // CRC32C (reflected polynomial 0x82F63B78) of `bytes` bytes, continued from `crc`; neither the
  // argument nor the result is inverted.
  uint32_t (*crc32c)(const uint8_t* data, size_t bytes, uint32_t crc);
};

// The kernels of this machine, chosen at first use by CPUID and XCR0 (x86) or at compile time
// (arm64). The environment variable CORVID_SIMD=scalar|avx2|avx512|amx|neon forces a level; throws
// ERR_NATIVE if the machine lacks it.
const Kernels& kernels();

// The kernels of a level by name, or null if this build or machine lacks it; for tests and benches.
const Kernels* kernels_named(const char* name);

}  // namespace corvid

#endif  // CORVID_SIMD_CONTRACT_H_
