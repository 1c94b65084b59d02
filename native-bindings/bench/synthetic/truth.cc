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
// Rows that a thread compares at once.
constexpr size_t kShareRows = 64;
// More than float sums may be off by.
constexpr float kSlack = 1e-5f;

// The order of answers; as the heap's "less", it keeps the worst at the front.
bool better(const TrueNeighbour& a, const TrueNeighbour& b) {
  return a.cosine != b.cosine ? a.cosine > b.cosine : a.row < b.row;
}

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

// The pass of one thread through some rows: what it adds to the nearest.
struct NearestRows::Worker {
  std::vector<std::vector<TrueNeighbour>> found;  // of every query
  std::vector<float> walls;                       // of every query, in whole panels
  AlignedVector<float> rows = AlignedVector<float>(kShareRows * kDims);
  AlignedVector<uint8_t> bytes = AlignedVector<uint8_t>(kShareRows * kDims);
  AlignedVector<int32_t> products;
  AlignedVector<float> cosines;  // of one row, about
};

NearestRows::NearestRows(const float* queries, size_t count, size_t neighbours)
    : neighbours_(neighbours),
      queries_(queries, queries + count * kDims),
      panels_(queries, count, kDims),
      best_(count) {
  std::vector<float> rounded(kDims);
  for (size_t q = 0; q < count; ++q) {
    panels_.read(q, kDims, rounded.data());
    query_error_ = std::max(query_error_, error_of(&queries_[q * kDims], rounded.data()));
  }
}

std::vector<TrueNeighbour> NearestRows::sorted(size_t query) const {
  std::vector<TrueNeighbour> result = best_[query];
  std::sort(result.begin(), result.end(), better);
  return result;
}

void NearestRows::add(size_t query, TrueNeighbour neighbour) {
  std::vector<TrueNeighbour>& heap = best_[query];
  if (heap.size() == neighbours_) {
    if (!better(neighbour, heap.front())) return;
    std::pop_heap(heap.begin(), heap.end(), better);
    heap.pop_back();
  }
  heap.push_back(neighbour);
  std::push_heap(heap.begin(), heap.end(), better);
}

float NearestRows::threshold(size_t query) const {
  const std::vector<TrueNeighbour>& heap = best_[query];
  return heap.size() < neighbours_ ? -std::numeric_limits<float>::infinity() : heap.front().cosine;
}

void NearestRows::compare(const uint16_t* halves, uint64_t first, size_t count, size_t threads) {
  std::vector<Worker> workers(threads);
  for (Worker& worker : workers) {
    worker.found.resize(queries());
    worker.walls.assign(panels_.width(), std::numeric_limits<float>::infinity());
    worker.products.resize(kShareRows * panels_.width());
    worker.cosines.resize(panels_.width());
  }
  // In rounds, between which thresholds rise: at first nothing is known, and all rows are near.
  constexpr size_t kFirstRows = 512;
  for (size_t done = 0, round = kFirstRows; done < count; done += round, round *= 8) {
    round = std::min(round, count - done);
    for (Worker& worker : workers) {
      for (size_t q = 0; q < queries(); ++q) worker.walls[q] = threshold(q);
    }
    parallel_for((round + kShareRows - 1) / kShareRows, threads, [&](size_t share, size_t thread) {
      const size_t from = done + share * kShareRows;
      compare_share(halves + from * kDims, first + from, std::min(kShareRows, done + round - from),
                    workers[thread]);
    });
    for (Worker& worker : workers) {
      for (size_t q = 0; q < queries(); ++q) {
        for (const TrueNeighbour& neighbour : worker.found[q]) add(q, neighbour);
        worker.found[q].clear();
      }
    }
  }
}

void NearestRows::compare_share(const uint16_t* halves, uint64_t first, size_t count,
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
  panels_.products(worker.bytes.data(), count, worker.products.data());
  for (size_t r = 0; r < count; ++r) {
    kernels().loops->scale_products(&worker.products[r * panels_.width()], panels_.scales(),
                                    scales[r], panels_.width(), worker.cosines.data());
    for (size_t q = 0; q < queries(); q += kLanes) {
      if (!any_near(&worker.cosines[q], &worker.walls[q], margins[r])) continue;
      for (size_t i = q; i < std::min(queries(), q + kLanes); ++i) {
        if (worker.cosines[i] + margins[r] < worker.walls[i]) continue;
        const float cosine = kernels().dot(&worker.rows[r * kDims], &queries_[i * kDims], kDims);
        if (cosine >= worker.walls[i]) worker.found[i].push_back({cosine, first + r});
      }
    }
  }
}

}  // namespace corvid
