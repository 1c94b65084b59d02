// Routing vectors, by which the lists nearest to a query are found. Lists are ranked by
// ⟨q, (µ + c) / ‖µ + c‖⟩, because raw inner products favour long centers. All sums have a fixed
// order, so every instruction set gives the same bits.
#ifndef CORVID_CODEC_QUERY_ROUTING_H_
#define CORVID_CODEC_QUERY_ROUTING_H_

#include <cstddef>
#include <cstdint>

#include "codec/format/codec.h"

namespace corvid {

// Projects queries (count x dims) into the space of routing vectors: writes count x routing_dims
// floats.
void routing_queries(const Codec& codec, const float* queries, size_t count, float* out);

// Writes the routing vector of a list, routing_dims floats: unit length up to int8 rounding.
void routing_vector(const Codec& codec, uint32_t list, float* out);

}  // namespace corvid

#endif  // CORVID_CODEC_QUERY_ROUTING_H_
