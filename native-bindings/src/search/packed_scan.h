// Exact search over the caller's own packed codes, by Hamming distance.
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

// The best `limit` of `rows` codes of `stride_bytes` each (a multiple of 8, from 8 to 128), by
// distance to `query` (stride_bytes), then by row; best first.
std::vector<PackedHit> packed_scan(const uint8_t* codes, size_t stride_bytes, uint64_t rows,
                                   const uint8_t* query, size_t limit);

}  // namespace corvid

#endif  // CORVID_SEARCH_PACKED_SCAN_H_
