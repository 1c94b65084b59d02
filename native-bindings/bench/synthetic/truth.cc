// Filters rows by integer products with error bounds, then compares the few that pass in floats.
#include "bench/synthetic/truth.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/aligned.h"
#include "base/threads.h"
#include "bench/synthetic/shape.h"
#include "linalg/matrix.h"
#include "simd/contract.h"

namespace corvid {
namespace {

constexpr size_t kDims = kSyntheticDims;
// Rows of one unit of work.
constexpr size_t kShareRows = 64;
// A bound on the rounding error of float sums.
constexpr float kSlack = 1e-5f;

// Whether any of kLanes cosines may reach its wall, the margin included. Plain code: next to the
// products themselves it takes no time.
bool any_near(const float* cosines, const float* walls, float margin) {
  bool near = false;
  for (size_t i = 0; i < kLanes; ++i) near |= cosines[i] + margin >= walls[i];
  return near;
}

float error_of(const float* x, const float* rounded) {
  float left[kDims];
  for (size_t d = 0; d < kDims; ++d) left[d] = x[d] - rounded[d];
  return std::sqrt(squared_length(left, kDims));
}

}  // namespace

// The buffers of one thread, and the neighbours that it found.
struct SyntheticGroundTruth::Worker {
  std::vector<std::vector<Neighbour>> found;  // of every query
  std::vector<float> walls;                   // of every query, in whole panels
  AlignedVector<float> rows = AlignedVector<float>(kShareRows * kDims);
  AlignedVector<uint8_t> bytes = AlignedVector<uint8_t>(kShareRows * kDims);
  AlignedVector<int32_t> products;
  AlignedVector<float> cosines;  // of one row, about
};

SyntheticGroundTruth::SyntheticGroundTruth(const float* queries, size_t count, size_t neighbours)
    : queries_(queries, queries + count * kDims),
      panels_(queries, count, kDims),
      nearest_(count, neighbours) {
  std::vector<float> rounded(kDims);
  for (size_t q = 0; q < count; ++q) {
    panels_.read(q, kDims, rounded.data());
    query_error_ = std::max(query_error_, error_of(&queries_[q * kDims], rounded.data()));
  }
}

void SyntheticGroundTruth::compare(const uint16_t* halves, uint64_t first, size_t count,
                                   size_t threads) {
  const size_t queries = nearest_.queries();
  std::vector<Worker> workers(threads);
  for (Worker& worker : workers) {
    worker.found.resize(queries);
    worker.walls.assign(panels_.width(), std::numeric_limits<float>::infinity());
    worker.products.resize(kShareRows * panels_.width());
    worker.cosines.resize(panels_.width());
  }
  in_growing_rounds(count, [&](size_t done, size_t round) {
    for (Worker& worker : workers) {
      for (size_t q = 0; q < queries; ++q) worker.walls[q] = nearest_.threshold(q);
    }
    parallel_for((round + kShareRows - 1) / kShareRows, threads, [&](size_t share, size_t thread) {
      const size_t from = done + share * kShareRows;
      compare_share(halves + from * kDims, first + from, std::min(kShareRows, done + round - from),
                    workers[thread]);
    });
    for (Worker& worker : workers) {
      for (size_t q = 0; q < queries; ++q) {
        for (const Neighbour& neighbour : worker.found[q]) nearest_.offer(q, neighbour);
        worker.found[q].clear();
      }
    }
  });
}

void SyntheticGroundTruth::compare_share(const uint16_t* halves, uint64_t first, size_t count,
                                         Worker& worker) const {
  float scales[kShareRows], margins[kShareRows], rounded[kDims];
  kernels().half_to_float(halves, worker.rows.data(), count * kDims);
  for (size_t r = 0; r < count; ++r) {
    float* x = &worker.rows[r * kDims];
    const float factor = 1 / std::sqrt(kernels().dot(x, x, kDims));
    for (size_t d = 0; d < kDims; ++d) x[d] *= factor;
    uint8_t* bytes = &worker.bytes[r * kDims];
    scales[r] = quantise_row(x, kDims, bytes);
    for (size_t d = 0; d < kDims; ++d) {
      rounded[d] = scales[r] * static_cast<float>(bytes[d] - kRowByteZero);
    }
    const float error = error_of(x, rounded);
    margins[r] = error + (1 + error) * query_error_ + kSlack;
  }
  const size_t queries = nearest_.queries();
  panels_.products(worker.bytes.data(), count, worker.products.data());
  for (size_t r = 0; r < count; ++r) {
    kernels().loops->scale_products(&worker.products[r * panels_.width()], panels_.scales(),
                                    scales[r], panels_.width(), worker.cosines.data());
    for (size_t q = 0; q < queries; q += kLanes) {
      if (!any_near(&worker.cosines[q], &worker.walls[q], margins[r])) continue;
      for (size_t i = q; i < std::min(queries, q + kLanes); ++i) {
        if (worker.cosines[i] + margins[r] < worker.walls[i]) continue;
        const float cosine = kernels().dot(&worker.rows[r * kDims], &queries_[i * kDims], kDims);
        if (cosine >= worker.walls[i]) worker.found[i].push_back({cosine, first + r});
      }
    }
  }
}

}  // namespace corvid
