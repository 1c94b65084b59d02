// The checkpoint of a segment writer: progress.bin in the segment's folder, replaced atomically, so
// that another process can continue after a kill or a power cut.
//
// It is written after all files that it describes were fsynced, and the part of a file that it
// describes is never changed afterwards.
#ifndef CORVID_SEGMENT_WRITE_WRITE_PROGRESS_H_
#define CORVID_SEGMENT_WRITE_WRITE_PROGRESS_H_

#include <optional>
#include <string>
#include <vector>

#include "segment/shape.h"
#include "segment/write/segment_files.h"
#include "segment/write/spill.h"

namespace corvid {

struct WriteProgress {
  uint64_t rows_added = 0;  // to the spill; some may be placed already
  uint64_t largest_id = 0;
  std::vector<uint64_t> list_rows;
  std::vector<Spill::BucketState> buckets;
  // The first so many buckets were placed: `files` holds their rows.
  uint32_t buckets_placed = 0;
  SegmentFiles::State files;  // empty before the first bucket was placed
};

// Writes and fsyncs. Throws ERR_DISK_FULL, ERR_IO.
void save_progress(const std::string& folder, const Uuid& uuid, const WriteProgress& progress);
// The last checkpoint, if there is one. Throws ERR_FORMAT_CORRUPT for a damaged file, or one of
// another segment or shape.
std::optional<WriteProgress> load_progress(const std::string& folder, const SegmentShape& shape);
void remove_progress(const std::string& folder);

}  // namespace corvid

#endif  // CORVID_SEGMENT_WRITE_WRITE_PROGRESS_H_
