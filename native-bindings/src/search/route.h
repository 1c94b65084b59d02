// Routing: the lists nearest to a query, by brute force over the codec's routing vectors.
//
// The query is quantized to seven bits per dimension, so that products are integers and the same on
// every machine. Lists whose similarities differ by less than 0.002 may change places, which costs
// no recall.
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

// The `probes` most similar lists of each query, most similar first; ties by list number.
// queries: count x codec.dims(); out: count x probes; 1 <= probes <= codec.lists().
void route_queries(const Codec& codec, const float* queries, size_t count, size_t probes,
                   RoutedList* out);

}  // namespace corvid

#endif  // CORVID_SEARCH_ROUTE_H_
