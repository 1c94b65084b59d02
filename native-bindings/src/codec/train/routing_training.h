// The routing vectors of a codec being trained: the normalised centers of its lists.
#ifndef CORVID_CODEC_TRAIN_ROUTING_TRAINING_H_
#define CORVID_CODEC_TRAIN_ROUTING_TRAINING_H_

#include <vector>

#include "codec/train/draft.h"

namespace corvid {

// Fills the routing sections of a draft. centers: lists x padded_dims, µ + c. With fewer routing
// dimensions than padded_dims, vectors are projected to the principal directions of the normalised
// centers and made unit again.
void write_routing(CodecDraft& draft, const std::vector<float>& centers);

}  // namespace corvid

#endif  // CORVID_CODEC_TRAIN_ROUTING_TRAINING_H_
