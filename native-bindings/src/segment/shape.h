// The shape of a segment's rows: levels, lists, vectors. Shared by writing and reading.
#ifndef CORVID_SEGMENT_SHAPE_H_
#define CORVID_SEGMENT_SHAPE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/format.h"
#include "io/frame.h"

namespace corvid {

struct SegmentShape {
  Uuid uuid;
  Uuid codec_uuid;
  uint32_t lists;
  std::vector<uint32_t> levels;  // bits, ascending, the first is 64
  uint32_t vector_bytes;         // of one int8 vector; 0 for a segment without vectors

  // Bytes of one row's code in an EncodedBatch: its records in the planes of all levels.
  size_t code_bytes() const {
    size_t bytes = 0;
    for (const uint32_t level : levels) bytes += plane_stride_bytes(level);
    return bytes;
  }
  // SegmentHead::levels.
  uint32_t level_mask() const {
    uint32_t mask = 0;
    for (const uint32_t level : levels) mask |= level;
    return mask;
  }
};

// Consecutive lists [first, last).
struct ListRange {
  uint32_t first;
  uint32_t last;
};

}  // namespace corvid

#endif  // CORVID_SEGMENT_SHAPE_H_
