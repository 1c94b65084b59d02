// The ground truth of the synthetic collection, which may have a billion rows.
//
// Like search/ground_truth.h, but rows are float16 and come in any order, and integer products rule
// out most of them. Queries and rows are quantized to bytes. By the Cauchy-Schwarz inequality, the
// error of a product is at most ‖x − x̂‖ + ‖x̂‖ · ‖q − q̂‖. Only rows that may be among the nearest
// within this error are compared in floats.
#ifndef CORVID_BENCH_SYNTHETIC_TRUTH_H_
#define CORVID_BENCH_SYNTHETIC_TRUTH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/format/panels.h"
#include "search/ground_truth.h"

namespace corvid {

class SyntheticGroundTruth {
 public:
  // queries: count x kSyntheticDims, unit rows. Keeps the nearest `neighbours` of each.
  SyntheticGroundTruth(const float* queries, size_t count, size_t neighbours);

  // The neighbours, whose ids are rows. The caller may offer those of an earlier run.
  NeighbourHeaps& nearest() { return nearest_; }

  // Compares rows [first, first + count), given as float16 and normalised here. Each row may be
  // given only once.
  void compare(const uint16_t* halves, uint64_t first, size_t count, size_t threads);

 private:
  struct Worker;

  void compare_share(const uint16_t* halves, uint64_t first, size_t count, Worker& worker) const;

  std::vector<float> queries_;
  Panels panels_;
  float query_error_ = 0;  // the largest ‖q − q̂‖
  NeighbourHeaps nearest_;
};

}  // namespace corvid

#endif  // CORVID_BENCH_SYNTHETIC_TRUTH_H_
