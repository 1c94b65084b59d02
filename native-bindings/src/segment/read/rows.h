// Rows by item id, each call one pass over rows.bin; and copies of rows for another segment.
#ifndef CORVID_SEGMENT_READ_ROWS_H_
#define CORVID_SEGMENT_READ_ROWS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "segment/read/row_filter.h"
#include "segment/read/segment.h"

namespace corvid {

// The row of each id, or -1.
std::vector<double> find_rows(const Segment& segment, const std::vector<uint64_t>& ids);

// The rows whose id is in `include` (all, if it has no value) and not in `exclude`.
std::shared_ptr<const RowFilter> make_filter(const Segment& segment,
                                             std::optional<std::vector<uint64_t>> include,
                                             std::vector<uint64_t> exclude);

// Copies `count` rows in the format of a RowBatch (segment/write/segment_writer.h): `lists` of size
// count, `codes` of count x code_bytes(segment), `vectors` of count x dims, or null to omit them.
// Every row must be below segment.rows(). Throws ERR_NOT_FOUND if a plane or the vectors are
// missing.
void copy_rows(const Segment& segment, const double* row_ids, size_t count, uint32_t* lists,
               uint8_t* codes, int8_t* vectors);
// Bytes of one row's code at all levels.
size_t code_bytes(const Segment& segment);

}  // namespace corvid

#endif  // CORVID_SEGMENT_READ_ROWS_H_
