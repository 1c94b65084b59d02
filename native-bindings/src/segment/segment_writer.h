// Writes a segment from rows in any order, in bounded memory: rows are gathered in buckets of lists
// (spill.h), and each bucket is then sorted by list and appended to the segment's files.
//
// Within a list, rows keep the order in which they were added, so the same rows in the same order
// give the same bytes, whatever the memory. One thread at a time calls append and finish; progress
// and cancel may be called from others.
#ifndef CORVID_SEGMENT_SEGMENT_WRITER_H_
#define CORVID_SEGMENT_SEGMENT_WRITER_H_

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "segment/segment_files.h"
#include "segment/shape.h"
#include "segment/spill.h"

namespace corvid {

// Rows to add, column by column; all pointers stay the caller's.
struct RowBatch {
  size_t rows;
  const uint32_t* lists;  // rows numbers below shape.lists
  const uint8_t* codes;   // rows x shape.code_bytes()
  const int8_t* vectors;  // rows x shape.vector_bytes, or null
  const double* ids;      // rows safe integers >= 0
};

struct WriterProgress {
  const char* phase;  // "spill": rows added, "place": rows written to their files
  uint64_t done;
  uint64_t total;
};

class SegmentWriter {
 public:
  // Makes the folder, which must not exist. `rows_hint` sizes the buckets and may be exceeded, at
  // the cost of speed. `memory_bytes` bounds what all buffers take together; at least
  // kLeastMemoryBytes are used.
  SegmentWriter(std::string folder, SegmentShape shape, uint64_t rows_hint, uint64_t memory_bytes);
  ~SegmentWriter();

  // Throws ERR_USAGE for a list or an id out of range (then nothing of the batch was added),
  // ERR_DISK_FULL and other errors of the file system (then only abort is left), ERR_ABORTED after
  // cancel, ERR_CLOSED after finish, abort or a failure.
  void append(const RowBatch& batch);

  // Places all rows, fsyncs files and folder, removes the spill. Afterwards the writer is closed.
  void finish();

  WriterProgress progress() const;
  // Makes a running append or finish throw ERR_ABORTED soon.
  void cancel() { cancelled_ = true; }
  // Cancels, waits for the running call, and removes everything written.
  void abort();

  const SegmentShape& shape() const { return shape_; }
  uint64_t rows() const { return rows_added_; }

  static constexpr uint64_t kLeastMemoryBytes = uint64_t{16} << 20;

 private:
  void require_open() const;
  void throw_if_cancelled() const;
  void check(const RowBatch& batch) const;
  void place_bucket(uint32_t bucket, SegmentFiles& files);
  // Sorts the rows of `lists` within memory and writes them.
  void place_sorted(uint32_t bucket, ListRange lists, SegmentFiles& files);
  // Writes the rows of one list as they come.
  void place_list(uint32_t bucket, uint32_t list, SegmentFiles& files);
  void place_row(const SpillChunk& chunk, uint32_t row, SegmentFiles& files);
  uint64_t rows_of(ListRange lists) const;

  std::string folder_;
  SegmentShape shape_;
  uint64_t memory_bytes_;
  std::unique_ptr<Spill> spill_;  // null after finish and abort
  bool broken_ = false;           // a call failed halfway
  std::vector<uint64_t> list_rows_;
  uint64_t largest_id_ = 0;
  std::mutex busy_;
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> placing_{false};
  std::atomic<uint64_t> rows_added_{0};
  std::atomic<uint64_t> rows_placed_{0};
  uint64_t rows_hint_;
  uint64_t rows_in_hand_ = 0;  // placed, not yet in rows_placed_
};

}  // namespace corvid

#endif  // CORVID_SEGMENT_SEGMENT_WRITER_H_
