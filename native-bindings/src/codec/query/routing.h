// Which lists are nearest to a query: by the normalised center, ⟨q, (µ + c) / ‖µ + c‖⟩, since raw
// inner products favour long centers. Ordered arithmetic throughout.
#ifndef CORVID_CODEC_QUERY_ROUTING_H_
#define CORVID_CODEC_QUERY_ROUTING_H_

#include <cstddef>
#include <cstdint>

#include "codec/format/codec.h"

namespace corvid {

// Queries (count x dims) as routing vectors have them: count x routing_dims numbers into `out`.
void routing_queries(const Codec& codec, const float* queries, size_t count, float* out);

// Routing vector of a list, unit length up to its int8 rounding: routing_dims numbers into `out`.
void routing_vector(const Codec& codec, uint32_t list, float* out);

}  // namespace corvid

#endif  // CORVID_CODEC_QUERY_ROUTING_H_
