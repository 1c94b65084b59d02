// Integer products with all routing vectors, then a selection of the largest.
#include "search/route.h"

#include <algorithm>
#include <vector>

#include "codec/query/routing.h"
#include "simd/contract.h"
#include "simd/top_k.h"

namespace corvid {
namespace {

// Queries that share one pass over the routing vectors.
constexpr size_t kQueriesAtOnce = 16;

// Selects the `probes` largest of `lists` similarities. The lists are arranged in about 4 x
// `probes` columns. The probes-th largest of the column maxima is a lower bound that at least
// `probes` lists reach. Only columns whose maximum reaches the bound are searched, and the few
// lists that pass are sorted.
class ListSelector {
 public:
  ListSelector(size_t lists, size_t probes)
      : columns_(std::min(lists, round_up_to_lanes(4 * probes))), probes_(probes) {}

  void select(const float* similarities, size_t lists, RoutedList* out) {
    maxima_.resize(columns_);
    kernels().loops->column_maxima(similarities, lists, columns_, maxima_.data());
    const float bound = nth_largest_.find(maxima_.data(), columns_, probes_);
    passing_.clear();
    for (size_t column = 0; column < columns_; ++column) {
      if (maxima_[column] < bound) continue;
      for (size_t list = column; list < lists; list += columns_) {
        if (similarities[list] < bound) continue;
        passing_.push_back(descending_key(similarities[list], static_cast<uint32_t>(list)));
      }
    }
    sorter_.sort(passing_);
    for (size_t i = 0; i < probes_; ++i) {
      const uint32_t list = number_of(passing_[i]);
      out[i] = {similarities[list], list};
    }
  }

 private:
  size_t columns_;
  size_t probes_;
  std::vector<float> maxima_;
  std::vector<uint64_t> passing_;
  NthLargest nth_largest_;
  KeySorter sorter_;
};

}  // namespace

void route_queries(const Codec& codec, const float* queries, size_t count, size_t probes,
                   RoutedList* out) {
  const PanelSpan vectors = codec.routing_vectors();
  const size_t dims = codec.head().routing_dims, lists = codec.lists(), width = vectors.width();
  std::vector<float> projected(kQueriesAtOnce * dims), similarities(lists);
  std::vector<uint8_t> rows(kQueriesAtOnce * vectors.depth());
  std::vector<int32_t> sums(kQueriesAtOnce * width);
  ListSelector selector(lists, probes);
  for (size_t first = 0; first < count; first += kQueriesAtOnce) {
    const size_t used = std::min(kQueriesAtOnce, count - first);
    float scales[kQueriesAtOnce];
    routing_queries(codec, queries + first * codec.dims(), used, projected.data());
    for (size_t i = 0; i < used; ++i) {
      scales[i] = quantise_row(&projected[i * dims], dims, &rows[i * vectors.depth()]);
    }
    vectors.products(rows.data(), used, sums.data());
    for (size_t i = 0; i < used; ++i) {
      kernels().loops->scale_products(&sums[i * width], vectors.scales(), scales[i], lists,
                                      similarities.data());
      selector.select(similarities.data(), lists, out + (first + i) * probes);
    }
  }
}

}  // namespace corvid
