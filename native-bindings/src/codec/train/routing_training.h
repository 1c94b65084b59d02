// The routing vectors of a codec in training: the normalised centers of its lists.
#ifndef CORVID_CODEC_TRAIN_ROUTING_TRAINING_H_
#define CORVID_CODEC_TRAIN_ROUTING_TRAINING_H_

#include <vector>

#include "codec/train/draft.h"

namespace corvid {

// Fills the routing sections of a draft. centers: lists x padded_dims, µ + c. If routing_dims is
// smaller than padded_dims, the normalised centers are projected onto their principal directions
// and normalised again.
void write_routing(CodecDraft& draft, const std::vector<float>& centers);

}  // namespace corvid

#endif  // CORVID_CODEC_TRAIN_ROUTING_TRAINING_H_
