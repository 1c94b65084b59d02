// The functions that add the addon's JavaScript functions and classes to its exports, one for each
// file of this folder that exports any. addon.cc calls them. The types are in src/native.
#ifndef CORVID_NAPI_CLASSES_H_
#define CORVID_NAPI_CLASSES_H_

#include <napi.h>

namespace corvid {

// simdLevel, simdLevels, crc32c, toUnit, lockFile.
void init_base(Napi::Env env, Napi::Object exports);
// openCodec, and what init_training adds.
void init_codec(Napi::Env env, Napi::Object exports);
// ByteSample, startLists, startTraining. `codec` is the constructor of codecs, and must live as
// long as the environment.
void init_training(Napi::Env env, Napi::Object exports, Napi::FunctionReference* codec);
// openSegment, verifyFile.
void init_segment(Napi::Env env, Napi::Object exports);
// createSegmentWriter.
void init_segment_writer(Napi::Env env, Napi::Object exports);
// openSearcher.
void init_search(Napi::Env env, Napi::Object exports);
// GroundTruth.
void init_ground_truth(Napi::Env env, Napi::Object exports);
// PackedCodes.
void init_packed(Napi::Env env, Napi::Object exports);

}  // namespace corvid

#endif  // CORVID_NAPI_CLASSES_H_
