// Statistics of the residuals of all groups, which stabilise the training of groups with few rows.
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

// residuals: rows x dims. The result does not depend on the number of threads.
PooledStatistics pooled_statistics_of(const std::vector<float>& residuals, size_t rows, size_t dims,
                                      size_t threads, Random random);

// Covariance of a group's residuals (rows x pooled.dims), shrunk towards the pooled covariance: for
// a group of n rows, the weight of its covariance is n / (n + shrink_rows).
std::vector<float> shrunk_covariance(const float* residuals, size_t rows,
                                     const PooledStatistics& pooled, float shrink_rows);

}  // namespace corvid

#endif  // CORVID_CODEC_TRAIN_POOLED_STATISTICS_H_
