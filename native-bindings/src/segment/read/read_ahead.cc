// Coalesces neighbouring ranges of a file into one readahead request each.
#include "segment/read/read_ahead.h"

#include <algorithm>

namespace corvid {
namespace {

// Ranges with a smaller gap are read as one: a disk reads the gap at no extra cost.
constexpr uint64_t kGapBytes = 4096;

void read_ahead_rows(const FramedFile& file, uint64_t stride_bytes, uint64_t row_offset,
                     const Candidate* rows, size_t count) {
  ReadRuns runs(file);
  for (size_t i = 0; i < count; ++i) {
    runs.add((rows[i].row - row_offset) * stride_bytes, stride_bytes);
  }
}

}  // namespace

void ReadRuns::add(uint64_t offset, uint64_t bytes) {
  if (first_ < end_ && offset >= first_ && offset <= end_ + kGapBytes) {
    end_ = std::max(end_, offset + bytes);
    return;
  }
  request();
  first_ = offset;
  end_ = offset + bytes;
}

void ReadRuns::request() const {
  if (first_ < end_) file_.prefetch(first_, end_ - first_);
}

void read_ahead_records(const Segment& segment, uint64_t row_offset, size_t levels,
                        const Candidate* rows, size_t count) {
  if (!segment.may_be_on_disk()) return;
  for (size_t i = 1; i < levels; ++i) {
    const uint64_t stride_bytes = plane_stride_bytes(segment.codec().level_bits(i));
    read_ahead_rows(segment.plane_file(i), stride_bytes, row_offset, rows, count);
  }
}

void read_ahead_vectors(const Segment& segment, uint64_t row_offset, const Candidate* rows,
                        size_t count) {
  if (!segment.may_be_on_disk()) return;
  read_ahead_rows(segment.vectors_file(), segment.codec().dims(), row_offset, rows, count);
}

void read_ahead_ids(const Segment& segment, uint64_t first, uint64_t count) {
  if (!segment.may_be_on_disk() || first >= segment.rows()) return;
  const uint64_t last = std::min(segment.rows(), first + count);
  segment.rows_file().prefetch(first * segment.id_bytes(), (last - first) * segment.id_bytes());
}

}  // namespace corvid
