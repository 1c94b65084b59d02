// Pools of vectors with a given spectrum of variance, and fast sums of their rows.
//
// An offset in space is a signed sum of a few rows that a hash picks from a pool: as good as
// Gaussian with the pool's covariance, for a fraction of the price of drawing and turning 512
// normal numbers. Rows come in sets of 512 that are orthogonal before they are scaled, so the
// covariance of a pool is exactly the spectrum in the basis, without the noise of a finite draw.
#ifndef CORVID_BENCH_SYNTHETIC_POOL_H_
#define CORVID_BENCH_SYNTHETIC_POOL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/aligned.h"
#include "bench/synthetic/shape.h"
#include "simd/contract.h"

namespace corvid {

constexpr size_t kPoolRows = 1024;  // with two signs, 11 bits of a hash pick one

class VectorPool {
 public:
  // `spectrum` as SyntheticShape has it; `key` makes the rows, `basis` the principal directions,
  // which pools of the same `basis` share. Squared lengths are 1 on average over the rows.
  VectorPool(const double* spectrum, uint64_t key, uint64_t basis);

  // The first part of a row; each of its other parts lies kPartsApart numbers behind the one
  // before.
  const float* row(size_t index) const { return &values_[index * kPartDims]; }

  static constexpr size_t kPartDims = kPartNumbers;
  static constexpr size_t kPartsApart = kPoolRows * kPartDims;

 private:
  // The first parts of all rows, then their second parts, and so on: a part of all pools fits the
  // second-level cache.
  AlignedVector<float> values_;
};

// One vector as a pool makes them.
std::vector<float> pool_vector(const double* spectrum, uint64_t key, uint64_t basis);

}  // namespace corvid

#endif  // CORVID_BENCH_SYNTHETIC_POOL_H_
