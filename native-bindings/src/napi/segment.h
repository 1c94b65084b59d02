// JavaScript class NativeSegment (its type: src/native/segment.ts), and the results that it shares
// with other classes.
#ifndef CORVID_NAPI_SEGMENT_H_
#define CORVID_NAPI_SEGMENT_H_

#include <napi.h>

#include <memory>
#include <vector>

#include "segment/read/segment.h"
#include "segment/read/shortlist.h"

namespace corvid {

// The segment in a NativeSegment. Throws ERR_USAGE for any other value, ERR_CLOSED if it was
// closed.
std::shared_ptr<const Segment> segment_of(const Napi::Value& value);

// SegmentInfo of src/native/segment.ts.
Napi::Object segment_info(Napi::Env env, const Segment& segment);

// ScanResult of src/native/search.ts.
Napi::Object scan_result(Napi::Env env, const std::vector<Candidate>& candidates,
                         uint64_t scanned_rows);

}  // namespace corvid

#endif  // CORVID_NAPI_SEGMENT_H_
