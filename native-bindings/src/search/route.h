// Which lists are nearest to a query, by brute force over the codec's routing vectors.
//
// The query is rounded to seven bits a number, so that products are integers, the same on
// every machine. Lists that differ by less than two thousandths may change places, which costs no
// recall.
#ifndef CORVID_SEARCH_ROUTE_H_
#define CORVID_SEARCH_ROUTE_H_

#include <cstddef>
#include <cstdint>

#include "codec/format/codec.h"

namespace corvid {

struct RoutedList {
  float similarity;  // ⟨q, (µ + c) / ‖µ + c‖⟩
  uint32_t list;
};

// The `probes` most similar lists of each of `count` queries (codec.dims() numbers each), most
// similar first, equal ones by number: count x probes into `out`. 1 <= probes <= codec.lists().
void route_queries(const Codec& codec, const float* queries, size_t count, size_t probes,
                   RoutedList* out);

}  // namespace corvid

#endif  // CORVID_SEARCH_ROUTE_H_
