// What a group of lists leans on where it has too few training rows of its own.
#ifndef CORVID_CODEC_TRAIN_POOLED_STATISTICS_H_
#define CORVID_CODEC_TRAIN_POOLED_STATISTICS_H_

#include <cstddef>
#include <vector>

#include "base/random.h"

namespace corvid {

struct PooledStatistics {
  std::vector<float> covariance;  // dims x dims, mean of r rᵀ over all groups
  std::vector<float> sample;      // sample_rows x dims residuals of all groups
  size_t sample_rows;
  size_t dims;
};

// residuals: rows x dims. The same for any number of threads.
PooledStatistics pooled_statistics_of(const std::vector<float>& residuals, size_t rows, size_t dims,
                                      size_t threads, Random random);

// Covariance of a group's residuals (rows x dims, as many dims as the pooled), shrunk towards the
// pooled's: a group of n rows trusts its own by n / (n + shrink_rows).
std::vector<float> shrunk_covariance(const float* residuals, size_t rows,
                                     const PooledStatistics& pooled, float shrink_rows);

}  // namespace corvid

#endif  // CORVID_CODEC_TRAIN_POOLED_STATISTICS_H_
