// Full verification of a segment, by reading every byte.
#ifndef CORVID_SEGMENT_READ_VERIFY_H_
#define CORVID_SEGMENT_READ_VERIFY_H_

#include <cstdint>
#include <memory>
#include <string>

#include "codec/format/codec.h"

namespace corvid {

struct VerifiedSegment {
  uint64_t files;
  uint64_t bytes;
};

// Opens the files of `folder` again and checks headers, lengths, all checksums, that the lanes of
// plane-64 past the last row are zero, and that ids are distinct safe integers. Throws what
// Segment::open throws, and ERR_FORMAT_CORRUPT for the first fault.
VerifiedSegment verify_segment(const std::string& folder, std::shared_ptr<const Codec> codec);

}  // namespace corvid

#endif  // CORVID_SEGMENT_READ_VERIFY_H_
