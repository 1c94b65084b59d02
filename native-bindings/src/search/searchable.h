// The codec and the segments of one generation of an index. Immutable.
//
// Row numbers are global: the rows of the first segment come first, then those of the second, and
// so on. It knows nothing of the catalog or of deletions.
#ifndef CORVID_SEARCH_SEARCHABLE_H_
#define CORVID_SEARCH_SEARCHABLE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "codec/format/codec.h"
#include "segment/read/segment.h"

namespace corvid {

struct Searchable {
  std::shared_ptr<const Codec> codec;
  std::vector<std::shared_ptr<const Segment>> segments;
  std::vector<uint64_t> first_rows;  // of each segment, then the total number of rows

  Searchable(std::shared_ptr<const Codec> codec,
             std::vector<std::shared_ptr<const Segment>> segments);

  uint64_t rows() const { return first_rows.back(); }
  // The index in `segments` of the segment that holds a row; row < rows().
  size_t segment_of(uint64_t row) const;
  uint64_t id_of(uint64_t row) const;

  // The row of each id, or -1. One pass over the ids of all rows.
  std::vector<double> find_rows(const std::vector<uint64_t>& ids) const;
  // The embedding of a row, codec->dims() numbers (reconstruct_row in segment/read/scan.h).
  void reconstruct(uint64_t row, float* out) const;
};

}  // namespace corvid

#endif  // CORVID_SEARCH_SEARCHABLE_H_
