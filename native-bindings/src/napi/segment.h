// Face of segments towards JavaScript: NativeSegment of src/native/addon.ts.
#ifndef CORVID_NAPI_SEGMENT_H_
#define CORVID_NAPI_SEGMENT_H_

#include <napi.h>

#include <memory>

#include "segment/read/segment.h"

namespace corvid {

// The segment within a NativeSegment. Throws ERR_USAGE for any other value, ERR_CLOSED once closed.
std::shared_ptr<const Segment> segment_of(const Napi::Value& value);

// Adds createSegmentWriter, openSegment and verifyFile to the addon's exports.
void init_segment(Napi::Env env, Napi::Object exports);

}  // namespace corvid

#endif  // CORVID_NAPI_SEGMENT_H_
