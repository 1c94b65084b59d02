// How far the writing of a segment has come: a file in the segment's folder, replaced as a whole at
// every checkpoint, so that another process can go on after a kill or a power cut.
//
// It is written after all that it tells of was fsynced, and files are never changed before the
// length that it gives them.
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
  uint64_t rows_added = 0;  // all of them are in the spill, or placed
  uint64_t largest_id = 0;
  std::vector<uint64_t> list_rows;
  std::vector<Spill::BucketState> buckets;
  // Of the buckets, in order, those that were placed; `files` holds their rows.
  uint32_t buckets_placed = 0;
  SegmentFiles::State files;  // empty while no bucket was placed
};

// Returns when `progress` will last. Throws ERR_DISK_FULL, ERR_IO.
void save_progress(const std::string& folder, const Uuid& uuid, const WriteProgress& progress);
// What was saved last; nothing if nothing was. Throws ERR_FORMAT_CORRUPT for a damaged file, and
// one of another segment or shape.
std::optional<WriteProgress> load_progress(const std::string& folder, const SegmentShape& shape);
void remove_progress(const std::string& folder);

}  // namespace corvid

#endif  // CORVID_SEGMENT_WRITE_WRITE_PROGRESS_H_
