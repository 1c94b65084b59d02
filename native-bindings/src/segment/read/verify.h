// Reading every byte of a segment, to say that it is sound.
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

// Opens the files of `folder` anew and checks headers, lengths, every checksum, that lanes of
// plane-64 past the last row are zero, and that ids are safe integers, each there once. Throws what
// Segment::open throws; ERR_FORMAT_CORRUPT for the first fault found.
VerifiedSegment verify_segment(const std::string& folder, std::shared_ptr<const Codec> codec);

}  // namespace corvid

#endif  // CORVID_SEGMENT_READ_VERIFY_H_
