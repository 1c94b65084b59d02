// What the two files that show segments to JavaScript share.
#ifndef CORVID_NAPI_SEGMENT_WRITER_H_
#define CORVID_NAPI_SEGMENT_WRITER_H_

#include <napi.h>

#include "segment/read/segment.h"

namespace corvid {

// SegmentInfo of src/native/addon.ts.
Napi::Object segment_info(Napi::Env env, const Segment& segment);

// Adds createSegmentWriter to the addon's exports.
void init_segment_writer(Napi::Env env, Napi::Object exports);

}  // namespace corvid

#endif  // CORVID_NAPI_SEGMENT_WRITER_H_
