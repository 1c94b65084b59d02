// Trains a codec from sample embeddings (docs/internals/codec.md).
//
// Deterministic: on one machine, the same sample, options and seed give the same bytes, whatever
// the number of threads. Between machines the last bits may differ, because the C library's
// functions do (simd/contract.h).
#ifndef CORVID_CODEC_TRAIN_TRAIN_H_
#define CORVID_CODEC_TRAIN_TRAIN_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/progress.h"
#include "codec/format/codec.h"

namespace corvid {

struct TrainingOptions {
  CodecMethod method;
  size_t dims;
  size_t level_count;   // of 64, 128, 256, 512; no level exceeds max(64, dims) bits
  size_t lists;         // <= rows, unless the lists are given; 1 for rotation
  size_t groups;        // <= lists, at level 64
  size_t outer_groups;  // <= groups, at residual levels
  uint64_t seed;
  size_t threads;
};

// With more lists than this, routing vectors are projected to kRoutingDims dimensions.
constexpr size_t kFullRoutingLists = 256;
constexpr size_t kRoutingDims = 128;

struct ListCenters;

// sample: rows x dims, unit length, rows >= 1. `lists`: the codec's lists, found in another sample
// (padded to at least 64 dimensions) and consumed here; or null, to find them in `sample`. Throws
// ERR_USAGE for options that contradict each other, ERR_ABORTED after progress.cancel().
std::shared_ptr<const Codec> train(const float* sample, size_t rows, const TrainingOptions& options,
                                   ListCenters* lists, Progress& progress);

}  // namespace corvid

#endif  // CORVID_CODEC_TRAIN_TRAIN_H_
