// Face of segments towards JavaScript: NativeSegment, NativeSegmentWriter, NativeRowFilter of
// src/native.ts.
#ifndef CORVID_NAPI_SEGMENT_H_
#define CORVID_NAPI_SEGMENT_H_

#include <napi.h>

namespace corvid {

// Adds createSegmentWriter, openSegment and verifyFile to the addon's exports.
void init_segment(Napi::Env env, Napi::Object exports);

}  // namespace corvid

#endif  // CORVID_NAPI_SEGMENT_H_
