// Pools of vectors with a given spectrum of variance, and fast sums of their rows.
//
// An offset in space is a signed sum of a few rows that a hash picks from a pool: as good as
// Gaussian with the pool's covariance, for a fraction of the price of drawing and turning 512
// normal numbers. Rows come in sets of 512 that are orthogonal before they are scaled, so the
// covariance of a pool is exactly the spectrum in the basis, without the noise of a finite draw.
#ifndef CORVID_SYNTHETIC_POOL_H_
#define CORVID_SYNTHETIC_POOL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "shape.h"

namespace corvid {

constexpr size_t kPoolRows = 1024;  // with two signs, 11 bits of a hash pick one

class VectorPool {
 public:
  // `spectrum` as SyntheticShape has it; `key` makes the rows, `basis` the principal directions,
  // which pools of the same `basis` share.
  VectorPool(const double* spectrum, size_t rows, uint64_t key, uint64_t basis);

  // Squared lengths are 1 on average over the rows.
  const float* row(size_t index) const { return &values_[index * kSyntheticDims]; }

 private:
  std::vector<float> values_;
};

// A row of a pool and its weight.
struct WeightedRow {
  const float* row;
  float weight;
};

// out = start + Σ weight · row, in the order given, without fused multiply-adds: the same bits on
// every machine. All rows are kSyntheticDims long.
void add_weighted_rows(const float* start, const WeightedRow* rows, size_t count, float* out);

}  // namespace corvid

#endif  // CORVID_SYNTHETIC_POOL_H_
