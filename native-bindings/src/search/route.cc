#include "search/route.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "codec/routing.h"
#include "codec/wide.h"
#include "kernels.h"

namespace corvid {
namespace {

// Queries that share one reading of the routing vectors.
constexpr size_t kQueriesAtOnce = 8;

// By similarity descending, then number. (A type, not a function, so that sorting has it inlined.)
struct Nearer {
  bool operator()(const RoutedList& a, const RoutedList& b) const {
    return a.similarity > b.similarity || (a.similarity == b.similarity && a.list < b.list);
  }
};

// similarities[i] = scale · scales[i] · products[i].
CORVID_WIDE void scale_products(const int32_t* products, const float* scales, float scale,
                                size_t lists, float* similarities) {
  for (size_t i = 0; i < lists; ++i) {
    similarities[i] = scale * scales[i] * static_cast<float>(products[i]);
  }
}

// The largest of each `chunk` numbers; the last chunk may be shorter.
CORVID_WIDE void find_maxima(const float* numbers, size_t count, size_t chunk, float* maxima) {
  for (size_t first = 0; first < count; first += chunk) {
    const size_t last = std::min(count, first + chunk);
    float largest = numbers[first];
    for (size_t i = first + 1; i < last; ++i) largest = numbers[i] > largest ? numbers[i] : largest;
    *maxima++ = largest;
  }
}

// The best `probes` of `lists` similarities. First a bound that at least `probes` lists reach: the
// similarities' maxima over small chunks are that many of them, whatever else a chunk holds. Few
// lists pass it, so only those are sorted.
class Selector {
 public:
  Selector(size_t lists, size_t probes)
      : chunk_(std::max<size_t>(1, lists / (4 * probes))), probes_(probes) {}

  void select(const float* similarities, size_t lists, RoutedList* out) {
    maxima_.resize((lists + chunk_ - 1) / chunk_);
    find_maxima(similarities, lists, chunk_, maxima_.data());
    sorted_ = maxima_;
    const auto place = sorted_.begin() + static_cast<std::ptrdiff_t>(probes_ - 1);
    std::nth_element(sorted_.begin(), place, sorted_.end(), std::greater<float>());
    const float bound = *place;
    passing_.clear();
    for (size_t first = 0, chunk = 0; first < lists; first += chunk_, ++chunk) {
      if (maxima_[chunk] < bound) continue;
      const size_t last = std::min(lists, first + chunk_);
      for (size_t i = first; i < last; ++i) {
        if (similarities[i] >= bound) {
          passing_.push_back({similarities[i], static_cast<uint32_t>(i)});
        }
      }
    }
    const auto end = passing_.begin() + static_cast<std::ptrdiff_t>(probes_);
    std::nth_element(passing_.begin(), end - 1, passing_.end(), Nearer());
    std::sort(passing_.begin(), end, Nearer());
    std::copy(passing_.begin(), end, out);
  }

 private:
  size_t chunk_;
  size_t probes_;
  std::vector<float> maxima_;
  std::vector<float> sorted_;
  std::vector<RoutedList> passing_;
};

}  // namespace

void route_queries(const Codec& codec, const float* queries, size_t count, size_t probes,
                   RoutedList* out) {
  const size_t dims = codec.head().routing_dims, lists = codec.lists();
  std::vector<float> own(dims), similarities(lists);
  std::vector<int8_t> bytes(kQueriesAtOnce * dims);
  std::vector<int32_t> products(kQueriesAtOnce * lists);
  Selector selector(lists, probes);
  for (size_t first = 0; first < count; first += kQueriesAtOnce) {
    const size_t used = std::min(kQueriesAtOnce, count - first);
    float scales[kQueriesAtOnce];
    for (size_t i = 0; i < used; ++i) {
      routing_query(codec, queries + (first + i) * codec.dims(), own.data());
      scales[i] = quantise(own.data(), dims, &bytes[i * dims]);
    }
    kernels().products_i8(bytes.data(), used, codec.routing_vectors(), lists, dims,
                          products.data());
    for (size_t i = 0; i < used; ++i) {
      scale_products(&products[i * lists], codec.routing_scales(), scales[i], lists,
                     similarities.data());
      selector.select(similarities.data(), lists, out + (first + i) * probes);
    }
  }
}

}  // namespace corvid
