// Which lists are nearest to a query: by the normalised center, ⟨q, (µ + c) / ‖µ + c‖⟩, since raw
// inner products favour long centers. Ordered arithmetic throughout.
#ifndef CORVID_CODEC_ROUTING_H_
#define CORVID_CODEC_ROUTING_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/codec.h"
#include "codec/draft.h"

namespace corvid {

// Fills the routing sections of a draft. centers: lists x padded_dims, µ + c. With fewer routing
// dimensions than padded_dims, vectors are projected to the principal directions of the normalised
// centers and made unit again.
void write_routing(CodecDraft& draft, const std::vector<float>& centers);

// Queries (count x dims) as routing vectors have them: count x routing_dims numbers into `out`.
void routing_queries(const Codec& codec, const float* queries, size_t count, float* out);

// Routing vector of a list, unit length up to its int8 rounding: routing_dims numbers into `out`.
void routing_vector(const Codec& codec, uint32_t list, float* out);

}  // namespace corvid

#endif  // CORVID_CODEC_ROUTING_H_
