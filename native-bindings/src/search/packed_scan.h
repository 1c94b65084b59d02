// Exact search by Hamming distance over packed codes that the caller supplies. No index is
// involved.
#ifndef CORVID_SEARCH_PACKED_SCAN_H_
#define CORVID_SEARCH_PACKED_SCAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace corvid {

struct PackedHit {
  uint64_t row;
  uint16_t distance_bits;
};

// The best `limit` rows by distance to `query`, then by row; best first. codes: rows x
// stride_bytes; query: stride_bytes, which is a multiple of 8 from 8 to 128.
std::vector<PackedHit> packed_scan(const uint8_t* codes, size_t stride_bytes, uint64_t rows,
                                   const uint8_t* query, size_t limit);

}  // namespace corvid

#endif  // CORVID_SEARCH_PACKED_SCAN_H_
