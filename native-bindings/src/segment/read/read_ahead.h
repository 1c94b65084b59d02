// Readahead: asks the operating system to read data that will be needed soon, many ranges at a
// time, instead of taking one page fault after another.
//
// It does nothing for segments that are resident in memory (!Segment::may_be_on_disk()). It is
// advice only: it changes no result.
#ifndef CORVID_SEGMENT_READ_READ_AHEAD_H_
#define CORVID_SEGMENT_READ_READ_AHEAD_H_

#include <cstddef>
#include <cstdint>

#include "segment/read/segment.h"
#include "segment/read/shortlist.h"

namespace corvid {

// Ranges of one file. Neighbouring ones are coalesced into one request.
class ReadRuns {
 public:
  explicit ReadRuns(const FramedFile& file) : file_(file) {}
  ~ReadRuns() { request(); }
  ReadRuns(const ReadRuns&) = delete;
  ReadRuns& operator=(const ReadRuns&) = delete;

  void add(uint64_t offset, uint64_t bytes);

 private:
  void request() const;

  const FramedFile& file_;
  uint64_t first_ = 0, end_ = 0;  // the range to request next; empty if equal
};

// The records of `count` rows in the planes of the first `levels` levels, except plane-64. Row
// numbers are those of the segment plus `row_offset`.
void read_ahead_records(const Segment& segment, uint64_t row_offset, size_t levels,
                        const Candidate* rows, size_t count);
// The vectors of `count` rows, numbered likewise. Precondition: segment.has_vectors().
void read_ahead_vectors(const Segment& segment, uint64_t row_offset, const Candidate* rows,
                        size_t count);
// The ids of the segment's rows [first, first + count), clipped to its rows.
void read_ahead_ids(const Segment& segment, uint64_t first, uint64_t count);

}  // namespace corvid

#endif  // CORVID_SEGMENT_READ_READ_AHEAD_H_
