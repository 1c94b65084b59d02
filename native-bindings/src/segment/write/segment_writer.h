// Writes a segment from rows in any order, in bounded memory: rows are gathered in buckets of lists
// (spill.h), and each bucket is then sorted by list and appended to the segment's files.
//
// Within a list, rows keep the order in which they were added, so the same rows in the same order
// give the same bytes, whatever the memory. A writer that may be resumed makes checkpoints: while
// rows are added, when the buffers are full or kCheckpointRows came since the last, and while they
// are placed, after each bucket. One thread at a time calls append and finish; progress and cancel
// may be called from others.
#ifndef CORVID_SEGMENT_WRITE_SEGMENT_WRITER_H_
#define CORVID_SEGMENT_WRITE_SEGMENT_WRITER_H_

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "segment/shape.h"
#include "segment/write/segment_files.h"
#include "segment/write/spill.h"
#include "segment/write/write_progress.h"

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
  // Makes the folder, which must not exist unless `resumable`: then the writer goes on from the
  // last checkpoint of one that was to write the same segment there, and removes what else it left.
  // `rows_hint` sizes the buckets and may be exceeded, at the cost of speed. `memory_bytes` bounds
  // what all buffers take together, beside one batch; at least kLeastMemoryBytes are used. Throws
  // ERR_FORMAT_CORRUPT where a checkpoint cannot be gone on from.
  SegmentWriter(std::string folder, SegmentShape shape, uint64_t rows_hint, uint64_t memory_bytes,
                bool resumable);
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
  // Cancels, waits for the running call, closes, and removes everything written; but leaves what
  // can be resumed.
  void abort();

  const SegmentShape& shape() const { return shape_; }
  uint64_t rows() const { return rows_added_; }
  // Rows, the first of all, that were there when the writer was made: not to be added again.
  uint64_t resumed_rows() const { return resumed_rows_; }

  static constexpr uint64_t kLeastMemoryBytes = uint64_t{16} << 20;
  // Some 30 seconds of encoding.
  static constexpr uint64_t kCheckpointRows = uint64_t{1} << 22;

 private:
  void require_open() const;
  void throw_if_cancelled() const;
  void check(const RowBatch& batch) const;
  std::string spill_folder() const { return folder_ + "/spill"; }
  // Whether there was something to go on from.
  bool resume();
  void checkpoint();
  void place();
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
  bool resumable_;
  std::unique_ptr<Spill> spill_;  // null once the writer is closed, or if it was finished
  bool was_finished_ = false;     // by an earlier writer
  bool closed_ = false;
  bool broken_ = false;     // a call failed halfway
  WriteProgress progress_;  // buckets and files as at the last checkpoint, empty before the first
  uint64_t resumed_rows_ = 0;
  uint64_t checkpointed_rows_ = 0;
  std::mutex busy_;
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> placing_{false};
  std::atomic<uint64_t> rows_added_{0};
  std::atomic<uint64_t> rows_placed_{0};
  uint64_t rows_hint_;
  uint64_t rows_in_hand_ = 0;  // placed, not yet in rows_placed_
};

}  // namespace corvid

#endif  // CORVID_SEGMENT_WRITE_SEGMENT_WRITER_H_
