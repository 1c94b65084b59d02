#include "codec/train/pooled_statistics.h"

#include <algorithm>

#include "base/threads.h"
#include "linalg/matrix.h"

namespace corvid {
namespace {

constexpr size_t kSampleRows = 1000;
// At most this many rows enter the covariance. It is summed in a fixed number of parts, so that the
// number of threads does not matter.
constexpr size_t kCovarianceRows = 16384;
constexpr size_t kCovarianceParts = 4;

}  // namespace

PooledStatistics pooled_statistics_of(const std::vector<float>& residuals, size_t rows, size_t dims,
                                      size_t threads, Random random) {
  const size_t used = std::min(rows, kCovarianceRows);
  std::vector<std::vector<float>> parts(kCovarianceParts, std::vector<float>(dims * dims, 0.0f));
  parallel_for(kCovarianceParts, threads, [&](size_t part, size_t) {
    const size_t first = used * part / kCovarianceParts;
    const size_t last = used * (part + 1) / kCovarianceParts;
    std::vector<float> picked((last - first) * dims);
    for (size_t i = first; i < last; ++i) {
      std::copy_n(&residuals[rows * i / used * dims], dims, &picked[(i - first) * dims]);
    }
    add_outer_products(picked.data(), last - first, dims, parts[part].data());
  });
  PooledStatistics pooled;
  pooled.dims = dims;
  pooled.covariance.assign(dims * dims, 0.0f);
  for (const auto& part : parts) {
    for (size_t i = 0; i < part.size(); ++i) {
      pooled.covariance[i] += part[i] / static_cast<float>(used);
    }
  }
  pooled.sample_rows = std::min(rows, kSampleRows);
  const std::vector<uint32_t> drawn = draw_distinct(random, rows, pooled.sample_rows);
  pooled.sample.resize(pooled.sample_rows * dims);
  for (size_t i = 0; i < drawn.size(); ++i) {
    std::copy_n(&residuals[drawn[i] * dims], dims, &pooled.sample[i * dims]);
  }
  return pooled;
}

std::vector<float> shrunk_covariance(const float* residuals, size_t rows,
                                     const PooledStatistics& pooled, float shrink_rows) {
  std::vector<float> covariance(pooled.covariance.size(), 0.0f);
  add_outer_products(residuals, rows, pooled.dims, covariance.data());
  const float total = static_cast<float>(rows) + shrink_rows;
  for (size_t i = 0; i < covariance.size(); ++i) {
    covariance[i] = (covariance[i] + shrink_rows * pooled.covariance[i]) / total;
  }
  return covariance;
}

}  // namespace corvid
