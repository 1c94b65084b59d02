// Questions about the item ids of a segment's rows; each is one pass over rows.bin.
#ifndef CORVID_SEGMENT_ROWS_H_
#define CORVID_SEGMENT_ROWS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "segment/row_filter.h"
#include "segment/segment.h"

namespace corvid {

// Row of each id, or -1.
std::vector<double> find_rows(const Segment& segment, const std::vector<uint64_t>& ids);

// The rows whose id is in `include` (nothing: all) and not in `exclude`.
std::shared_ptr<const RowFilter> make_filter(const Segment& segment,
                                             std::optional<std::vector<uint64_t>> include,
                                             std::vector<uint64_t> exclude);

}  // namespace corvid

#endif  // CORVID_SEGMENT_ROWS_H_
