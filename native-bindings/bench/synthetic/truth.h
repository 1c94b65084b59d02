// The ground truth of the synthetic collection, which may have a billion rows.
//
// As search/ground_truth.h has it, but rows come as halves and in any order, and most of them are
// told from the nearest by integers: a query and a row are rounded to bytes, and by Cauchy and
// Schwarz their product cannot be off by more than the lengths of what rounding took
// (‖x − x̂‖ + ‖x̂‖ · ‖q − q̂‖). Only a row that may be among the nearest is compared in floats.
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
  // queries: count x kSyntheticDims, of unit length. Keeps the `neighbours` nearest of each.
  SyntheticGroundTruth(const float* queries, size_t count, size_t neighbours);

  // Neighbours by row; those that were found before may be offered.
  NeighbourHeaps& nearest() { return nearest_; }

  // Compares rows first .. first + count, given as halves and brought to unit length here. Each row
  // may be given once.
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
