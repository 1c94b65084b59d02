// Blocks of rows are compared with all queries by matrix products; few products pass a query's
// threshold and reach its heap.
#include "search/ground_truth.h"

#include <limits>
#include <utility>

#include "base/threads.h"
#include "simd/contract.h"

namespace corvid {
namespace {

// Rows of one unit of work: their products with a few hundred queries fit the cache.
constexpr size_t kShareRows = 512;
// The float32 product of a unit vector with itself is at least this.
constexpr float kSelfCosine = 1 - 2e-6f;

// The order of the result. As the "less" of a heap, it keeps the worst at the front.
bool nearer(const Neighbour& a, const Neighbour& b) {
  return a.cosine != b.cosine ? a.cosine > b.cosine : a.id < b.id;
}

}  // namespace

float NeighbourHeaps::threshold(size_t query) const {
  const std::vector<Neighbour>& heap = heaps_[query];
  return heap.size() < kept_ ? -std::numeric_limits<float>::infinity() : heap.front().cosine;
}

void NeighbourHeaps::offer(size_t query, const Neighbour& neighbour) {
  std::vector<Neighbour>& heap = heaps_[query];
  if (heap.size() == kept_) {
    if (!nearer(neighbour, heap.front())) return;
    std::pop_heap(heap.begin(), heap.end(), nearer);
    heap.pop_back();
  }
  heap.push_back(neighbour);
  std::push_heap(heap.begin(), heap.end(), nearer);
}

std::vector<Neighbour> NeighbourHeaps::sorted(size_t query) const {
  std::vector<Neighbour> result = heaps_[query];
  std::sort(result.begin(), result.end(), nearer);
  return result;
}

GroundTruth::GroundTruth(const float* queries, size_t count, size_t dims, size_t kept,
                         const int64_t* selves)
    : dims_(dims),
      queries_(queries, queries + count * dims),
      nearest_(count, kept),
      find_selves_(selves == nullptr),
      selves_(count, -1) {
  if (selves != nullptr) selves_.assign(selves, selves + count);
}

void GroundTruth::add(const float* rows, const uint64_t* ids, size_t count, size_t threads) {
  in_growing_rounds(count, [&](size_t first, size_t round) {
    add_round(rows + first * dims_, ids + first, round, threads);
  });
}

void GroundTruth::add_round(const float* rows, const uint64_t* ids, size_t count, size_t threads) {
  const size_t queries = nearest_.queries(), shares = (count + kShareRows - 1) / kShareRows;
  // What each share found above the thresholds of the previous round, by query.
  std::vector<std::vector<std::pair<uint32_t, Neighbour>>> found(shares);
  parallel_for(shares, threads, [&](size_t share, size_t) {
    const size_t first = share * kShareRows, here = std::min(kShareRows, count - first);
    std::vector<float> products(queries * here);
    kernels().gemm_nt(queries, here, dims_, queries_.data(), dims_, rows + first * dims_, dims_,
                      products.data(), here, false);
    for (size_t q = 0; q < queries; ++q) {
      const float threshold = nearest_.threshold(q);
      for (size_t i = 0; i < here; ++i) {
        const float cosine = products[q * here + i];
        if (cosine < threshold) continue;
        found[share].push_back({static_cast<uint32_t>(q), {cosine, ids[first + i]}});
      }
    }
  });
  for (const auto& share : found) {
    for (const auto& [query, neighbour] : share) {
      if (!is_self(query, neighbour)) nearest_.offer(query, neighbour);
    }
  }
}

bool GroundTruth::is_self(size_t query, const Neighbour& neighbour) {
  int64_t& self = selves_[query];
  if (find_selves_ && self < 0 && neighbour.cosine >= kSelfCosine) {
    self = static_cast<int64_t>(neighbour.id);
  }
  return self == static_cast<int64_t>(neighbour.id);
}

}  // namespace corvid
