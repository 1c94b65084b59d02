#include "codec/lists/kmeans.h"

#include <algorithm>

#include "base/threads.h"
#include "linalg/matrix.h"
#include "simd/contract.h"

namespace corvid {
namespace {

// Rows and centers of one tile of products: 256 x 1,024 floats fit a second-level cache, whatever
// the number of centers.
constexpr size_t kChunkRows = 256;
constexpr size_t kTileCenters = 1024;

void assign_chunk(const float* x, size_t rows, size_t dims, const float* centers, size_t count,
                  const float* half_norms, uint32_t* clusters) {
  std::vector<float> products(rows * std::min(count, kTileCenters));
  std::vector<float> best(rows);
  for (size_t first = 0; first < count; first += kTileCenters) {
    const size_t width = std::min(kTileCenters, count - first);
    kernels().gemm_nt(rows, width, dims, x, dims, centers + first * dims, dims, products.data(),
                      width, false);
    for (size_t r = 0; r < rows; ++r) {
      float* scores = &products[r * width];
      for (size_t c = 0; c < width; ++c) scores[c] -= half_norms[first + c];
      float top = scores[0];
      for (size_t c = 1; c < width; ++c) top = scores[c] > top ? scores[c] : top;
      if (first != 0 && !(top > best[r])) continue;
      best[r] = top;
      clusters[r] =
          static_cast<uint32_t>(first + (std::find(scores, scores + width, top) - scores));
    }
  }
}

void update_centers(const float* x, size_t dims, const float* weights, const Grouping& grouping,
                    size_t threads, std::vector<float>& centers) {
  const size_t count = grouping.starts.size() - 1;
  parallel_for(count, threads, [&](size_t c, size_t) {
    double weight_sum = 0;
    std::vector<float> sum(dims, 0.0f);
    for (size_t i = grouping.starts[c]; i < grouping.starts[c + 1]; ++i) {
      const size_t row = grouping.order[i];
      const float weight = weights == nullptr ? 1.0f : weights[row];
      weight_sum += weight;
      for (size_t d = 0; d < dims; ++d) sum[d] += weight * x[row * dims + d];
    }
    if (weight_sum == 0) return;
    for (size_t d = 0; d < dims; ++d) {
      centers[c * dims + d] = static_cast<float>(sum[d] / weight_sum);
    }
  });
}

}  // namespace

void assign_nearest(const float* x, size_t rows, size_t dims, const float* centers, size_t count,
                    size_t threads, Progress* progress, uint32_t* clusters) {
  std::vector<float> half_norms(count);
  for (size_t c = 0; c < count; ++c) {
    half_norms[c] = squared_length(centers + c * dims, dims) / 2;
  }
  parallel_for((rows + kChunkRows - 1) / kChunkRows, threads, [&](size_t chunk, size_t) {
    if (progress != nullptr) progress->check();
    const size_t first = chunk * kChunkRows;
    const size_t chunk_rows = std::min(kChunkRows, rows - first);
    assign_chunk(x + first * dims, chunk_rows, dims, centers, count, half_norms.data(),
                 clusters + first);
    if (progress != nullptr) progress->add(chunk_rows);
  });
}

Grouping group_rows(const uint32_t* clusters, size_t rows, size_t count) {
  Grouping grouping{std::vector<uint32_t>(rows), std::vector<size_t>(count + 1, 0)};
  for (size_t r = 0; r < rows; ++r) ++grouping.starts[clusters[r] + 1];
  for (size_t c = 0; c < count; ++c) grouping.starts[c + 1] += grouping.starts[c];
  std::vector<size_t> next(grouping.starts.begin(), grouping.starts.end() - 1);
  for (size_t r = 0; r < rows; ++r) grouping.order[next[clusters[r]]++] = static_cast<uint32_t>(r);
  return grouping;
}

std::vector<float> kmeans(const float* x, size_t rows, size_t dims, const float* weights,
                          const KMeansOptions& options, Random random) {
  const size_t count = options.clusters;
  std::vector<float> centers(count * dims);
  const std::vector<uint32_t> seeds = draw_distinct(random, rows, count);
  for (size_t c = 0; c < count; ++c) {
    std::copy_n(x + seeds[c] * dims, dims, &centers[c * dims]);
  }
  std::vector<uint32_t> clusters(rows);
  for (size_t round = 0; round < options.rounds; ++round) {
    assign_nearest(x, rows, dims, centers.data(), count, options.threads, options.progress,
                   clusters.data());
    update_centers(x, dims, weights, group_rows(clusters.data(), rows, count), options.threads,
                   centers);
  }
  return centers;
}

}  // namespace corvid
