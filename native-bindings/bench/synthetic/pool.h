// Pools of vectors with a given spectrum of variances, and fast weighted sums of their rows.
//
// An offset in space is a signed sum of a few pool rows picked by a hash. Its distribution is close
// to a Gaussian with the pool's covariance, at a fraction of the cost of drawing and rotating 512
// normal numbers. Rows come in sets of 512 that are orthogonal before they are scaled, so the
// covariance of a pool is exactly the spectrum in the basis, without sampling noise.
#ifndef CORVID_BENCH_SYNTHETIC_POOL_H_
#define CORVID_BENCH_SYNTHETIC_POOL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/aligned.h"
#include "bench/synthetic/shape.h"
#include "simd/contract.h"

namespace corvid {

constexpr size_t kPoolRows = 1024;  // 11 bits of a hash pick a row and its sign

class VectorPool {
 public:
  // spectrum: as in SyntheticShape. key: seed of the rows. basis: seed of the principal directions,
  // which pools of the same basis share. The mean of the rows' squared lengths is 1.
  VectorPool(const double* spectrum, uint64_t key, uint64_t basis);

  // The first part of a row. The next parts follow at distances of kPartsApart numbers.
  const float* row(size_t index) const { return &values_[index * kPartDims]; }

  static constexpr size_t kPartDims = kPartNumbers;
  static constexpr size_t kPartsApart = kPoolRows * kPartDims;

 private:
  // The first parts of all rows, then their second parts, and so on, because one part of all pools
  // fits the second-level cache.
  AlignedVector<float> values_;
};

// The first row of the pool with these arguments.
std::vector<float> pool_vector(const double* spectrum, uint64_t key, uint64_t basis);

}  // namespace corvid

#endif  // CORVID_BENCH_SYNTHETIC_POOL_H_
