// JavaScript class of the ground truth: NativeGroundTruth of src/native/search.ts.
#ifndef CORVID_NAPI_GROUND_TRUTH_H_
#define CORVID_NAPI_GROUND_TRUTH_H_

#include <napi.h>

namespace corvid {

// Adds GroundTruth to the addon's exports.
void init_ground_truth(Napi::Env env, Napi::Object exports);

}  // namespace corvid

#endif  // CORVID_NAPI_GROUND_TRUTH_H_
