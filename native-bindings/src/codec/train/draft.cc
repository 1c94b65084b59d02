#include "codec/train/draft.h"

#include <cstring>

namespace corvid {
namespace {

// A 128-bit hash of the data, as a UUID of version 8 (RFC 9562: custom). Not cryptographic.
Uuid hash_of(const uint8_t* data, uint64_t bytes) {
  uint64_t lanes[2] = {0x9e3779b97f4a7c15u, 0xd1342543de82ef95u};
  for (uint64_t i = 0; i < bytes; i += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, data + i, std::min<uint64_t>(sizeof word, bytes - i));
    for (uint64_t& lane : lanes) {
      lane = (lane ^ word) * 0xff51afd7ed558ccdu;
      lane ^= lane >> 32;
    }
  }
  Uuid uuid;
  std::memcpy(uuid.data(), lanes, uuid.size());
  uuid[6] = static_cast<uint8_t>((uuid[6] & 0x0f) | 0x80);
  uuid[8] = static_cast<uint8_t>((uuid[8] & 0x3f) | 0x80);
  return uuid;
}

}  // namespace

CodecDraft::CodecDraft(CodecHead head) {
  constexpr uint64_t kAlignment = 64;
  data_bytes_ = place_sections(&head);
  memory_ = std::shared_ptr<uint8_t[]>(new uint8_t[data_bytes_ + kAlignment]());
  const auto address = reinterpret_cast<uintptr_t>(memory_.get());
  data_ = memory_.get() + (kAlignment - address % kAlignment) % kAlignment;
  std::memcpy(data_, &head, sizeof head);
}

LevelModel CodecDraft::level_64(size_t group) {
  const size_t first = group * kLevel64Directions;
  const size_t bytes = PanelSpan::data_bytes(kLevel64Directions, head().padded_dims);
  return {section<uint8_t>(head().directions_offset) + group * bytes,
          section<float>(head().corners_offset) + first * kCorners,
          section<float>(head().corner_norms_offset) + first / kBlockDirections * kCorners};
}

ResidualModel CodecDraft::residual(size_t outer_group) {
  const size_t columns = head().basis_columns;
  ResidualModel model{};
  model.columns = columns;
  model.basis = section<uint8_t>(head().basis_offset) +
                outer_group * PanelSpan::data_bytes(columns, head().padded_dims);
  for (size_t level = 1; level < head().level_count; ++level) {
    const CodecLevel& shape = head().levels[level];
    model.bits[level] = shape.added_bits;
    model.coordinates[level] =
        section<CodedCoordinate>(shape.coordinates_offset) + outer_group * shape.added_bits;
  }
  return model;
}

std::shared_ptr<const Codec> CodecDraft::finish() {
  return std::make_shared<const Codec>(memory_, data_, data_bytes_, hash_of(data_, data_bytes_),
                                       "");
}

}  // namespace corvid
