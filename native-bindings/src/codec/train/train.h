// Training: from sample embeddings to a codec (docs/internals/codec.md).
//
// Deterministic: the same sample, options and seed give the same bytes on one machine, whatever
// the number of threads. Between machines the last bits may differ, for matrix products do.
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
  size_t level_count;   // of 64, 128, 256, 512; none longer than max(64, dims)
  size_t lists;         // <= rows, unless they are given; 1 for rotation
  size_t groups;        // <= lists, at level 64
  size_t outer_groups;  // <= groups, at residual levels
  uint64_t seed;
  size_t threads;
};

// Above so many lists, routing vectors are projected to kRoutingDims numbers.
constexpr size_t kFullRoutingLists = 256;
constexpr size_t kRoutingDims = 128;

struct ListCenters;

// sample: rows x dims, unit length, rows >= 1; only read. `lists`: those of the codec, found among
// other rows (padded to at least 64 dimensions) and emptied here; or null, then they are found
// among the sample's. Throws ERR_USAGE for options that contradict each other, ERR_ABORTED after
// progress.cancel().
std::shared_ptr<const Codec> train(const float* sample, size_t rows, const TrainingOptions& options,
                                   ListCenters* lists, Progress& progress);

}  // namespace corvid

#endif  // CORVID_CODEC_TRAIN_TRAIN_H_
