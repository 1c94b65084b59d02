// Writes a segment from rows in any order, in bounded memory. Rows are first collected in buckets,
// one for each range of lists (spill.h); then each bucket is sorted by list and appended to the
// segment's files.
//
// Within a list, rows keep the order in which they were added, so the same rows in the same order
// give the same bytes for any amount of memory. A resumable writer makes checkpoints: while rows
// are added, when the buffers are full or after kCheckpointRows; while rows are placed, after each
// bucket. append and finish exclude each other; progress and cancel may be called from any thread.
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

// Rows to add, column by column. The caller owns the memory.
struct RowBatch {
  size_t rows;
  const uint32_t* lists;  // size rows; below shape.lists
  const uint8_t* codes;   // size rows x shape.code_bytes()
  const int8_t* vectors;  // size rows x shape.vector_bytes, or null
  const double* ids;      // size rows; safe integers >= 0
};

struct WriterProgress {
  const char* phase;  // "spill": rows added, "place": rows written to their files
  uint64_t done;
  uint64_t total;
};

class SegmentWriter {
 public:
  // Creates the folder, which must not exist unless `resumable`. If it exists, the writer continues
  // from the last checkpoint of an earlier writer of the same segment, or else starts again.
  // `rows_hint` sizes the buckets; it may be exceeded, which costs speed. `memory_bytes` bounds all
  // buffers together, excluding one batch; less than kMinMemoryBytes counts as that. Throws
  // ERR_FORMAT_CORRUPT if the checkpoint is damaged.
  SegmentWriter(std::string folder, SegmentShape shape, uint64_t rows_hint, uint64_t memory_bytes,
                bool resumable);
  ~SegmentWriter();

  // Throws ERR_USAGE for a list or an id out of range (no row of the batch is added then),
  // ERR_DISK_FULL and other errors of the file system (only abort may be called then), ERR_ABORTED
  // after cancel, ERR_CLOSED after finish, abort or a failure.
  void append(const RowBatch& batch);

  // Places all rows, fsyncs files and folder, removes the spill. Afterwards the writer is closed.
  void finish();

  WriterProgress progress() const;
  // Makes a running append or finish throw ERR_ABORTED soon.
  void cancel() { cancelled_ = true; }
  // Cancels, waits for the running call, closes, and removes everything written, except what can be
  // resumed.
  void abort();

  const SegmentShape& shape() const { return shape_; }
  uint64_t rows() const { return rows_added_; }
  // How many of the first rows an earlier writer has added: they must not be added again.
  uint64_t resumed_rows() const { return resumed_rows_; }

  static constexpr uint64_t kMinMemoryBytes = uint64_t{16} << 20;
  // About 30 seconds of encoding.
  static constexpr uint64_t kCheckpointRows = uint64_t{1} << 22;

 private:
  void require_open() const;
  void throw_if_cancelled() const;
  void check(const RowBatch& batch) const;
  std::string spill_folder() const { return folder_ + "/spill"; }
  // Continues from what an earlier writer left. False if there is nothing to continue from.
  bool resume();
  void checkpoint();
  void place();
  void place_bucket(uint32_t bucket, SegmentFiles& files);
  // Sorts the rows of `lists` in memory and writes them.
  void place_sorted(uint32_t bucket, ListRange lists, SegmentFiles& files);
  // Writes the rows of one list in the order in which they were added.
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
  WriteProgress progress_;  // its buckets and files are those of the last checkpoint, or empty
  uint64_t resumed_rows_ = 0;
  uint64_t checkpointed_rows_ = 0;
  std::mutex busy_;
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> placing_{false};
  std::atomic<uint64_t> rows_added_{0};
  std::atomic<uint64_t> rows_placed_{0};
  uint64_t rows_hint_;
  uint64_t uncounted_rows_ = 0;  // placed, not yet in rows_placed_
};

}  // namespace corvid

#endif  // CORVID_SEGMENT_WRITE_SEGMENT_WRITER_H_
