// A codec in training: the data of a codec file in memory, with writable sections.
#ifndef CORVID_CODEC_TRAIN_DRAFT_H_
#define CORVID_CODEC_TRAIN_DRAFT_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "codec/format/codec.h"
#include "codec/format/layout.h"
#include "codec/train/level.h"
#include "codec/train/residual_training.h"

namespace corvid {

class CodecDraft {
 public:
  // Places the sections according to the sizes in `head`, filled with zeros.
  explicit CodecDraft(CodecHead head);

  CodecHead& head() { return *reinterpret_cast<CodecHead*>(data_); }
  float* mean() { return section<float>(head().mean_offset); }
  float* vector_steps() { return section<float>(head().vector_steps_offset); }
  ListRecord* list_records() { return section<ListRecord>(head().list_records_offset); }
  int8_t* center_bytes(size_t list) {
    return section<int8_t>(head().list_centers_offset) + list * head().padded_dims;
  }
  float* center_scales() { return section<float>(head().center_scales_offset); }
  // Both in panels; the projection only if routing_dims < padded_dims.
  uint8_t* routing_vectors() { return section<uint8_t>(head().routing_vectors_offset); }
  uint8_t* routing_projection() { return section<uint8_t>(head().routing_projection_offset); }
  // Level 64 of a group.
  LevelModel level_64(size_t group);
  // Residual levels of an outer group; `coordinates` is set for the levels that the codec has.
  ResidualModel residual(size_t outer_group);
  float* gains() { return section<float>(head().gains_offset); }

  // Returns the finished codec. Its UUID is a hash of its data, so equal codecs have equal UUIDs.
  // The draft must not be used afterwards.
  std::shared_ptr<const Codec> finish();

 private:
  template <typename Element>
  Element* section(uint64_t offset) {
    return reinterpret_cast<Element*>(data_ + offset);
  }

  std::shared_ptr<uint8_t[]> memory_;
  uint8_t* data_;  // within memory_, 64-byte aligned
  uint64_t data_bytes_;
};

}  // namespace corvid

#endif  // CORVID_CODEC_TRAIN_DRAFT_H_
