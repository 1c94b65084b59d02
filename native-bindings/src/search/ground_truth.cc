#include "search/ground_truth.h"

#include <algorithm>

#include "base/threads.h"
#include "simd/contract.h"

namespace corvid {
namespace {

// Rows that a thread compares at once: their products with some hundred queries fit the cache.
constexpr size_t kShareRows = 512;
// A float32 product of a unit vector with itself is this close to 1.
constexpr float kItself = 1 - 2e-6f;

// The order of answers; as the heap's "less", it keeps the worst at the front.
bool nearer(const Neighbour& a, const Neighbour& b) {
  return a.cosine != b.cosine ? a.cosine > b.cosine : a.id < b.id;
}

}  // namespace

ExactNeighbours::ExactNeighbours(const float* queries, size_t count, size_t dims, size_t kept)
    : dims_(dims),
      kept_(kept),
      queries_(queries, queries + count * dims),
      best_(count),
      self_(count, -1) {}

void ExactNeighbours::offer(size_t query, const Neighbour& neighbour) {
  std::vector<Neighbour>& heap = best_[query];
  if (heap.size() == kept_) {
    if (!nearer(neighbour, heap.front())) return;
    std::pop_heap(heap.begin(), heap.end(), nearer);
    heap.pop_back();
  }
  heap.push_back(neighbour);
  std::push_heap(heap.begin(), heap.end(), nearer);
}

void ExactNeighbours::add(const float* rows, const uint64_t* ids, size_t count, size_t threads) {
  const size_t all = queries(), shares = (count + kShareRows - 1) / kShareRows;
  // What each share found above what was known before, in row order.
  std::vector<std::vector<std::pair<uint32_t, Neighbour>>> found(shares);
  parallel_for(shares, threads, [&](size_t share, size_t) {
    const size_t first = share * kShareRows, here = std::min(kShareRows, count - first);
    std::vector<float> products(all * here);
    kernels().gemm_nt(all, here, dims_, queries_.data(), dims_, rows + first * dims_, dims_,
                      products.data(), here, false);
    for (size_t q = 0; q < all; ++q) {
      const float worst = best_[q].size() == kept_ ? best_[q].front().cosine : -2;
      for (size_t i = 0; i < here; ++i) {
        const float cosine = products[q * here + i];
        if (cosine < worst) continue;
        found[share].push_back({static_cast<uint32_t>(q), {cosine, ids[first + i]}});
      }
    }
  });
  for (const auto& share : found) {
    for (const auto& [query, neighbour] : share) {
      if (self_[query] < 0 && neighbour.cosine >= kItself) {
        self_[query] = static_cast<int64_t>(neighbour.id);
      } else {
        offer(query, neighbour);
      }
    }
  }
}

std::vector<Neighbour> ExactNeighbours::sorted(size_t query) const {
  std::vector<Neighbour> result = best_[query];
  std::sort(result.begin(), result.end(), nearer);
  return result;
}

}  // namespace corvid
