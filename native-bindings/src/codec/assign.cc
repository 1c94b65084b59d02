#include "codec/assign.h"

#include <algorithm>
#include <numeric>

#include "codec/matrix.h"
#include "codec/routing.h"
#include "kernels.h"
#include "prefetch.h"
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
      centers_(view.lists),
      center_bytes_(view.lists * view.dims) {
  const size_t dims = view_.dims, lists = view_.lists;
  if (lists < kLeastTreeLists) shortlist_count_ = lists;

  // Differences between lists lie in few directions: the principal ones of their centers about µ.
  const size_t seen = std::min(kSeenDims, dims);
  std::vector<float> directions;
  if (lists >= kLeastTreeLists) {
    const size_t used = std::min(lists, kPrincipalRows);
    std::vector<float> picked(used * dims);
    for (size_t i = 0; i < used; ++i)
      write_center(static_cast<uint32_t>(lists * i / used), &picked[i * dims]);
    directions = principal_directions(picked.data(), used, dims, view_.mean, seen);
  }
  std::vector<float> points(directions.empty() ? 0 : lists * seen), centered_half_norms(lists);
  parallel_for((lists + kChunkLists - 1) / kChunkLists, threads, [&](size_t chunk, size_t) {
    const size_t first = chunk * kChunkLists, count = std::min(kChunkLists, lists - first);
    std::vector<float> rows(count * dims);
    for (size_t i = 0; i < count; ++i) {
      float* row = &rows[i * dims];
      write_center(static_cast<uint32_t>(first + i), row);
      Center& center = centers_[first + i];
      center.mean_product = kernels().dot(row, view_.mean, dims);
      center.half_norm = squared_length(row, dims) / 2;
      for (size_t d = 0; d < dims; ++d) row[d] -= view_.mean[d];
      centered_half_norms[first + i] = squared_length(row, dims) / 2;
      int8_t* bytes = &center_bytes_[(first + i) * dims];
      center.scale = quantise(row, dims, bytes);
      center.byte_sum = std::accumulate(bytes, bytes + dims, int32_t{0});
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

void ListAssigner::write_center(uint32_t list, float* out) const {
  const int8_t* bytes = view_.centers + size_t{list} * view_.dims;
  for (size_t d = 0; d < view_.dims; ++d) {
    out[d] = view_.scales[list] * static_cast<float>(bytes[d]);
  }
}

void ListAssigner::candidates(const ByteRows& rows, size_t first, size_t count, uint32_t* lists,
                              float* products) const {
  // One more, so that the next row's lists can always be fetched.
  std::vector<uint32_t> shortlists((count + 1) * shortlist_count_, ListTree::kNoList);
  if (tree_ == nullptr) {
    for (size_t r = 0; r < count; ++r) {
      std::iota(&shortlists[r * shortlist_count_], &shortlists[r * shortlist_count_] + view_.lists,
                0);
    }
  } else {
    std::vector<float> projected(count * projector_->kept());
    projector_->project(rows, first, count, projected.data());
    tree_->nearest(projected.data(), count, {kSearch.probes, shortlist_count_}, shortlists.data());
  }
  for (size_t r = 0; r < count; ++r) {
    fetch(&shortlists[(r + 1) * shortlist_count_]);
    compare(rows, first + r, &shortlists[r * shortlist_count_], lists + r * candidate_count_,
            products + r * candidate_count_);
  }
}

// Many centers do not fit the caches: those of the next row come while one is compared.
void ListAssigner::fetch(const uint32_t* shortlist) const {
  for (size_t i = 0; i < shortlist_count_ && shortlist[i] != ListTree::kNoList; ++i) {
    prefetch(&center_bytes_[shortlist[i] * view_.dims], view_.dims);
    prefetch(&centers_[shortlist[i]], sizeof(Center));
  }
}

// The candidate_count_ best of a shortlist by distance, the lower number first among equals.
void ListAssigner::compare(const ByteRows& rows, size_t row, const uint32_t* shortlist,
                           uint32_t* lists, float* products) const {
  // Bytes of rows are at most 127, so they are the same number as signed ones.
  const auto* own = reinterpret_cast<const int8_t*>(rows.bytes(row));
  size_t held = 0;
  float scores[kCandidateLists];
  for (size_t i = 0; i < shortlist_count_; ++i) {
    const uint32_t list = shortlist[i];
    if (list == ListTree::kNoList) break;
    const Center& center = centers_[list];
    int32_t whole;
    kernels().products_i8(own, 1, &center_bytes_[list * view_.dims], 1, view_.dims, &whole);
    whole -= kRowByteZero * center.byte_sum;
    const float product = rows.scale(row) * center.scale * static_cast<float>(whole) +
                          rows.mean_product(row) + center.mean_product;
    const float score = product - center.half_norm;
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
