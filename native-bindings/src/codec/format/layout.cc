#include "codec/format/layout.h"

#include "codec/format/panels.h"

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
  head->routing_vectors_offset = place(PanelSpan::data_bytes(lists, head->routing_dims));
  head->routing_projection_offset =
      head->routing_dims == dims ? 0 : place(PanelSpan::data_bytes(head->routing_dims, dims));
  head->center_scales_offset = place(lists * sizeof(float));
  head->list_centers_offset = place(lists * dims);
  const uint64_t directions = uint64_t{head->groups} * kLevel64Directions;
  head->corners_offset = place(directions * kCorners * sizeof(float));
  head->corner_norms_offset = place(directions / kBlockDirections * kCorners * sizeof(float));
  head->directions_offset = place(head->groups * PanelSpan::data_bytes(kLevel64Directions, dims));
  head->gains_offset = head->basis_offset = 0;
  if (head->level_count == 1) return end;
  head->gains_offset = place(kGains * sizeof(float));
  for (size_t i = 1; i < head->level_count; ++i) {
    CodecLevel& level = head->levels[i];
    const uint64_t coded = uint64_t{head->outer_groups} * level.added_bits;
    level.coordinates_offset = place(coded * sizeof(CodedCoordinate));
  }
  head->basis_offset = place(head->outer_groups * PanelSpan::data_bytes(head->basis_columns, dims));
  return end;
}

}  // namespace corvid
