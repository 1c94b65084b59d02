#include "codec/layout.h"

namespace corvid {

uint64_t place_sections(CodecHead* head) {
  constexpr uint64_t kAlignment = 64;
  uint64_t end = sizeof(CodecHead);
  const auto place = [&](uint64_t bytes) {
    const uint64_t offset = (end + kAlignment - 1) / kAlignment * kAlignment;
    end = offset + bytes;
    return offset;
  };
  const uint64_t dims = head->padded_dims, lists = head->lists;
  head->mean_offset = place(dims * sizeof(float));
  head->vector_steps_offset = place(head->dims * sizeof(float));
  head->list_records_offset = place(lists * sizeof(ListRecord));
  head->routing_vectors_offset = place(lists * head->routing_dims);
  head->routing_scales_offset = place(lists * sizeof(float));
  head->routing_projection_offset =
      head->routing_dims == dims ? 0 : place(dims * head->routing_dims * sizeof(uint16_t));
  head->list_centers_offset = place(lists * dims * sizeof(uint16_t));
  for (size_t i = 0; i < head->level_count; ++i) {
    CodecLevel& level = head->levels[i];
    const uint64_t groups = level.groups, bits = level.added_bits;
    level.corners_offset = place(groups * bits * kCorners * sizeof(float));
    level.corner_norms_offset = place(groups * bits / kBlockDirections * kCorners * sizeof(float));
    level.directions_offset = place(groups * dims * bits * sizeof(uint16_t));
  }
  return end;
}

}  // namespace corvid
