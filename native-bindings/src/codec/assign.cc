#include "codec/assign.h"

#include <algorithm>
#include <numeric>

#include "codec/matrix.h"
#include "kernels.h"
#include "threads.h"

namespace corvid {
namespace {

// With fewer lists, comparing all of them costs less than projecting first.
constexpr size_t kLeastTreeLists = 32;
// Dimensions of the projection, cells whose lists are looked at, and lists compared exactly.
constexpr size_t kSeenDims = 128;
constexpr TreeSearch kSearch = {6, 16};
constexpr size_t kChunkLists = 1024;

}  // namespace

ListAssigner::ListAssigner(const ListCentersView& view, size_t threads)
    : view_(view),
      candidate_count_(std::min(kCandidateLists, view.lists)),
      shortlist_count_(std::min(kSearch.shortlist, view.lists)),
      half_norms_(view.lists) {
  const size_t dims = view_.dims, lists = view_.lists;
  if (lists < kLeastTreeLists) shortlist_count_ = lists;

  // Differences between lists lie in few directions: the principal ones of their centers about µ.
  const size_t seen = std::min(kSeenDims, dims);
  std::vector<float> directions;
  if (lists >= kLeastTreeLists) {
    const size_t used = std::min(lists, kPrincipalRows);
    std::vector<float> picked(used * dims);
    for (size_t i = 0; i < used; ++i)
      center(static_cast<uint32_t>(lists * i / used), &picked[i * dims]);
    directions = principal_directions(picked.data(), used, dims, view_.mean, seen);
  }
  std::vector<float> points(directions.empty() ? 0 : lists * seen), centered_half_norms(lists);
  parallel_for((lists + kChunkLists - 1) / kChunkLists, threads, [&](size_t chunk, size_t) {
    const size_t first = chunk * kChunkLists, count = std::min(kChunkLists, lists - first);
    std::vector<float> rows(count * dims);
    for (size_t i = 0; i < count; ++i) {
      float* row = &rows[i * dims];
      center(static_cast<uint32_t>(first + i), row);
      half_norms_[first + i] = squared_length(row, dims) / 2;
      for (size_t d = 0; d < dims; ++d) row[d] -= view_.mean[d];
      centered_half_norms[first + i] = squared_length(row, dims) / 2;
    }
    if (directions.empty()) return;
    kernels().gemm_nt(count, seen, dims, rows.data(), dims, directions.data(), dims,
                      &points[first * seen], seen, false);
  });
  if (directions.empty()) return;
  projector_ = std::make_unique<Projector>(directions.data(), seen, view_.mean, dims);
  tree_ =
      std::make_unique<ListTree>(points.data(), centered_half_norms.data(), lists, seen, threads);
}

void ListAssigner::center(uint32_t list, float* out) const {
  kernels().half_to_float(view_.centers + size_t{list} * view_.dims, out, view_.dims);
}

void ListAssigner::candidates(const float* x, size_t rows, uint32_t* lists, float* products) const {
  std::vector<uint32_t> shortlists(rows * shortlist_count_);
  if (tree_ == nullptr) {
    for (size_t r = 0; r < rows; ++r) {
      std::iota(&shortlists[r * shortlist_count_], &shortlists[r * shortlist_count_] + view_.lists,
                0);
    }
  } else {
    std::vector<float> projected(rows * projector_->kept());
    projector_->project(x, rows, projected.data());
    tree_->nearest(projected.data(), rows, {kSearch.probes, shortlist_count_}, shortlists.data());
  }
  for (size_t r = 0; r < rows; ++r) {
    compare(x + r * view_.dims, &shortlists[r * shortlist_count_], lists + r * candidate_count_,
            products + r * candidate_count_);
  }
}

// The candidate_count_ best of a shortlist by distance, the lower number first among equals.
void ListAssigner::compare(const float* row, const uint32_t* shortlist, uint32_t* lists,
                           float* products) const {
  thread_local std::vector<float> own;
  own.resize(view_.dims);
  size_t held = 0;
  float scores[kCandidateLists];
  for (size_t i = 0; i < shortlist_count_; ++i) {
    const uint32_t list = shortlist[i];
    if (list == ListTree::kNoList) break;
    center(list, own.data());
    const float product = kernels().dot(row, own.data(), view_.dims);
    const float score = product - half_norms_[list];
    const auto loses_to = [&](size_t place) {
      return scores[place] != score ? scores[place] > score : lists[place] < list;
    };
    if (held == candidate_count_ && loses_to(held - 1)) continue;
    size_t place = held < candidate_count_ ? held++ : held - 1;
    for (; place > 0 && !loses_to(place - 1); --place) {
      scores[place] = scores[place - 1];
      lists[place] = lists[place - 1];
      products[place] = products[place - 1];
    }
    scores[place] = score;
    lists[place] = list;
    products[place] = product;
  }
  // Lists missing from a shortlist repeat the nearest: a trial more, and no other result.
  for (; held < candidate_count_; ++held) {
    lists[held] = lists[0];
    products[held] = products[0];
  }
}

}  // namespace corvid
