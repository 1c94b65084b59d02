// Checks beyond those of Segment::open, which need the data.
#include "segment/read/verify.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "segment/read/segment.h"

namespace corvid {
namespace {

void check_tail_lanes(const Segment& segment) {
  for (uint64_t row = segment.rows(); row % kBlockRows != 0; ++row) {
    uint8_t record[kPlane64Bytes];
    segment.code_of(row, record);
    if (std::all_of(std::begin(record), std::end(record), [](uint8_t b) { return b == 0; })) {
      continue;
    }
    throw corrupt_file(segment.plane_64_path(), "a lane past the last row is not zero")
        .actual("lane of row " + std::to_string(row));
  }
}

void check_ids(const Segment& segment) {
  const auto duplicate = [&segment](uint64_t id) {
    return corrupt_file(segment.rows_path(), "an item id occurs twice")
        .actual("id " + std::to_string(id));
  };
  uint64_t largest = 0;
  for (uint64_t row = 0; row < segment.rows(); ++row) {
    largest = std::max(largest, segment.id_of(row));
  }
  if (largest > kMaxItemId) {
    throw corrupt_file(segment.rows_path(), "an item id is too large")
        .expected("at most " + std::to_string(kMaxItemId))
        .actual(std::to_string(largest));
  }
  // One bit for each possible id, unless ids are so sparse that sorting takes less memory.
  if (largest / 64 > segment.rows()) {
    std::vector<uint64_t> ids(segment.rows());
    for (uint64_t row = 0; row < ids.size(); ++row) ids[row] = segment.id_of(row);
    std::sort(ids.begin(), ids.end());
    const auto repeated = std::adjacent_find(ids.begin(), ids.end());
    if (repeated != ids.end()) throw duplicate(*repeated);
    return;
  }
  std::vector<bool> seen(largest + 1);
  for (uint64_t row = 0; row < segment.rows(); ++row) {
    const uint64_t id = segment.id_of(row);
    if (seen[id]) throw duplicate(id);
    seen[id] = true;
  }
}

}  // namespace

VerifiedSegment verify_segment(const std::string& folder, std::shared_ptr<const Codec> codec) {
  const Segment segment(folder, std::move(codec));
  VerifiedSegment verified{0, 0};
  for (const FramedFile* file : segment.framed_files()) {
    file->verify();
    ++verified.files;
    verified.bytes += file->file_bytes();
  }
  check_tail_lanes(segment);
  check_ids(segment);
  return verified;
}

}  // namespace corvid
