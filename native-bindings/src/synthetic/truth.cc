#include "truth.h"

#include <algorithm>
#include <limits>

#include "kernels.h"
#include "threads.h"

namespace corvid {
namespace {

// Rows that a thread makes and compares at once: they and their products fit the cache.
constexpr size_t kShareRows = 512;

// The order of answers; as the heap's "less", it keeps the worst at the front.
bool better(const TrueNeighbour& a, const TrueNeighbour& b) {
  return a.cosine != b.cosine ? a.cosine > b.cosine : a.row < b.row;
}

}  // namespace

std::vector<TrueNeighbour> TruthTable::sorted(size_t query) const {
  std::vector<TrueNeighbour> result = best_[query];
  std::sort(result.begin(), result.end(), better);
  return result;
}

void TruthTable::add(size_t query, TrueNeighbour neighbour) {
  std::vector<TrueNeighbour>& heap = best_[query];
  if (heap.size() == count_) {
    if (!better(neighbour, heap.front())) return;
    std::pop_heap(heap.begin(), heap.end(), better);
    heap.pop_back();
  }
  heap.push_back(neighbour);
  std::push_heap(heap.begin(), heap.end(), better);
}

float TruthTable::threshold(size_t query) const {
  const std::vector<TrueNeighbour>& heap = best_[query];
  return heap.size() < count_ ? -std::numeric_limits<float>::infinity() : heap.front().cosine;
}

void add_rows(const SyntheticGenerator& generator, const float* queries, uint64_t first,
              uint64_t rows, size_t threads, TruthTable& table) {
  struct Worker {
    std::vector<float> rows;
    std::vector<float> products;
    TruthTable found;
  };
  const size_t count = table.queries();
  // Every thread starts from what is known, so that its threshold is high from the first row.
  std::vector<Worker> workers(threads, Worker{{}, {}, table});
  for (Worker& worker : workers) worker.rows.resize(kShareRows * kSyntheticDims);
  for (Worker& worker : workers) worker.products.resize(count * kShareRows);
  parallel_for((rows + kShareRows - 1) / kShareRows, threads, [&](size_t share, size_t thread) {
    Worker& worker = workers[thread];
    const uint64_t from = first + share * kShareRows;
    const size_t here = static_cast<size_t>(std::min<uint64_t>(kShareRows, first + rows - from));
    generator.floats(from, here, worker.rows.data());
    kernels().gemm_nt(count, here, kSyntheticDims, queries, kSyntheticDims, worker.rows.data(),
                      kSyntheticDims, worker.products.data(), kShareRows, false);
    for (size_t q = 0; q < count; ++q) {
      const float* products = &worker.products[q * kShareRows];
      float threshold = worker.found.threshold(q);
      for (size_t i = 0; i < here; ++i) {
        if (products[i] < threshold) continue;
        worker.found.add(q, {products[i], from + i});
        threshold = worker.found.threshold(q);
      }
    }
  });
  for (size_t q = 0; q < count; ++q) {
    for (const Worker& worker : workers) {
      for (const TrueNeighbour& neighbour : worker.found.sorted(q)) {
        if (neighbour.row >= first && neighbour.row < first + rows) table.add(q, neighbour);
      }
    }
  }
}

}  // namespace corvid
