#include "codec/lists/assign.h"

#include <algorithm>

#include "base/threads.h"
#include "linalg/matrix.h"
#include "simd/contract.h"

namespace corvid {
namespace {

// Cells that are probed for each row. With so many, few rows get another list than an exhaustive
// search would give them; time grows with the number of probes.
constexpr size_t kProbes = 4;
constexpr size_t kChunkLists = 1024;

}  // namespace

ListAssigner::ListAssigner(const ListCentersView& view, size_t threads)
    : candidate_count_(std::min(kCandidateLists, view.lists)), lifts_(view.lists) {
  const size_t dims = view.dims;
  const auto read_point = [&](uint32_t list, float* out) {
    const int8_t* bytes = view.centers + size_t{list} * dims;
    for (size_t d = 0; d < dims; ++d) {
      out[d] = view.scales[list] * static_cast<float>(bytes[d]) - view.mean[d];
    }
  };
  tree_ = std::make_unique<ListTree>(read_point, view.lists, dims, threads);
  const float mean_square = squared_length(view.mean, dims);
  parallel_for((view.lists + kChunkLists - 1) / kChunkLists, threads, [&](size_t chunk, size_t) {
    const size_t last = std::min(view.lists, (chunk + 1) * kChunkLists);
    std::vector<float> c(dims);
    for (size_t list = chunk * kChunkLists; list < last; ++list) {
      read_point(static_cast<uint32_t>(list), c.data());
      lifts_[list] = squared_length(c.data(), dims) / 2 + mean_square +
                     kernels().dot(c.data(), view.mean, dims);
    }
  });
}

void ListAssigner::candidates(const ByteRows& rows, size_t threads, uint32_t* lists,
                              float* products) const {
  const std::vector<NearList> nearest = tree_->nearest(rows, kProbes, threads);
  for (size_t r = 0; r < rows.rows(); ++r) {
    const NearList* row_lists = &nearest[r * ListTree::kNearest];
    for (size_t i = 0; i < candidate_count_; ++i) {
      // Missing lists are filled with the nearest: one more trial, the same result.
      const NearList& near = row_lists[i].list == ListTree::kNoList ? row_lists[0] : row_lists[i];
      lists[r * candidate_count_ + i] = near.list;
      products[r * candidate_count_ + i] = near.score + lifts_[near.list] + rows.mean_product(r);
    }
  }
}

}  // namespace corvid
