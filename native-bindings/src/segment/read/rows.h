// Questions about the item ids of a segment's rows, each one pass over rows.bin; and rows copied
// out to be written into another segment.
#ifndef CORVID_SEGMENT_READ_ROWS_H_
#define CORVID_SEGMENT_READ_ROWS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "segment/read/row_filter.h"
#include "segment/read/segment.h"

namespace corvid {

// Row of each id, or -1.
std::vector<double> find_rows(const Segment& segment, const std::vector<uint64_t>& ids);

// The rows whose id is in `include` (nothing: all) and not in `exclude`.
std::shared_ptr<const RowFilter> make_filter(const Segment& segment,
                                             std::optional<std::vector<uint64_t>> include,
                                             std::vector<uint64_t> exclude);

// Copies rows as SegmentWriter takes them: `lists` count numbers, `codes` count x code_bytes,
// `vectors` count x dims or null to leave them out. Throws ERR_NOT_FOUND if a plane, or the vectors
// that are wanted, are missing. Rows must be below segment.rows().
void copy_rows(const Segment& segment, const double* rows, size_t count, uint32_t* lists,
               uint8_t* codes, int8_t* vectors);
// Bytes of one row's code in `codes`.
size_t code_bytes(const Segment& segment);

}  // namespace corvid

#endif  // CORVID_SEGMENT_READ_ROWS_H_
