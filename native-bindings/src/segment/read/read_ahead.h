// Reading from the disk together what is about to be needed, instead of one page fault after
// another.
//
// Only for segments that may lie on the disk (Segment::may_be_on_disk); of others nothing is asked.
// All of it is advice: it changes no result.
#ifndef CORVID_SEGMENT_READ_READ_AHEAD_H_
#define CORVID_SEGMENT_READ_READ_AHEAD_H_

#include <cstddef>
#include <cstdint>

#include "segment/read/segment.h"
#include "segment/read/shortlist.h"

namespace corvid {

// Ranges of a file, told as they come; neighbouring ones are asked for at once.
class ReadRuns {
 public:
  explicit ReadRuns(const FramedFile& file) : file_(file) {}
  ~ReadRuns() { ask(); }
  ReadRuns(const ReadRuns&) = delete;
  ReadRuns& operator=(const ReadRuns&) = delete;

  void add(uint64_t offset, uint64_t bytes);

 private:
  void ask() const;

  const FramedFile& file_;
  uint64_t first_ = 0, end_ = 0;  // of the run under way; empty if equal
};

// The records above level 64 of `count` rows, which are those of the segment plus `row_offset`.
void read_ahead_records(const Segment& segment, uint64_t row_offset, size_t levels,
                        const Candidate* rows, size_t count);
// Their vectors; the segment has some.
void read_ahead_vectors(const Segment& segment, uint64_t row_offset, const Candidate* rows,
                        size_t count);
// The ids of rows first .. first + count of the segment, or as many as there are.
void read_ahead_ids(const Segment& segment, uint64_t first, uint64_t count);

}  // namespace corvid

#endif  // CORVID_SEGMENT_READ_READ_AHEAD_H_
