// A codec, ready for queries and encoding: sizes, and pointers into one immutable block of data.
//
// The data is that of a codec file (codec/format/layout.h), either mapped from the file or still in
// memory after training. Both hold the same bytes, so a codec that was saved and reopened gives the
// same bits. A Codec is immutable, and all threads of the process share it without locks.
#ifndef CORVID_CODEC_FORMAT_CODEC_H_
#define CORVID_CODEC_FORMAT_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "codec/format/layout.h"
#include "codec/format/panels.h"
#include "io/frame.h"

namespace corvid {

class Codec {
 public:
  // Checks every size, and every value that is used as an index or a divisor. `path` appears in
  // errors; it is empty for a codec in memory. Throws ERR_FORMAT_CORRUPT.
  Codec(std::shared_ptr<const void> owner, const uint8_t* data, uint64_t data_bytes, Uuid uuid,
        std::string path);
  Codec(const Codec&) = delete;
  Codec& operator=(const Codec&) = delete;

  // Maps a codec file. A second call for a file that is open and unchanged returns the same object.
  // With `known`, the UUID that the file must have, an open codec is returned without touching the
  // file, which may have been deleted since. Throws what FramedFile throws.
  static std::shared_ptr<const Codec> open(const std::string& path, const Uuid* known = nullptr);

  // Writes and fsyncs the codec file; the caller renames it. Throws what FileWriter throws.
  void save(const std::string& path) const;

  const Uuid& uuid() const { return uuid_; }
  const CodecHead& head() const { return *head_; }
  // Dimensions of the caller's embeddings.
  size_t dims() const { return head_->dims; }
  // max(dims, 64): shorter embeddings are padded with zeros.
  size_t padded_dims() const { return head_->padded_dims; }
  size_t lists() const { return head_->lists; }
  size_t groups() const { return head_->groups; }
  size_t outer_groups() const { return head_->outer_groups; }
  size_t level_count() const { return head_->level_count; }
  // Bits of the code up to and including level `index`: 64, 128, 256, 512.
  uint32_t level_bits(size_t index) const { return head_->levels[index].bits; }
  // Code bytes that level `index` adds, without gain and norm: 8, 8, 16, 32.
  size_t level_code_bytes(size_t index) const { return head_->levels[index].added_bits / 8; }
  // Bytes of a row in an EncodedBatch: its records of all levels, one after another.
  size_t row_bytes() const;
  // Root mean square of ‖x̂‖ at level 64 over the training rows: turns a folded score at a rank
  // into a norm weight, t = theta / norm with theta = 2 · score / norm at the fixed point.
  float mean_norm() const { return head_->mean_norm; }

  // The group of a list at level 64, and its outer group at residual levels.
  uint32_t group_of(uint32_t list) const { return list_records()[list].group; }
  uint32_t outer_group_of(uint32_t list) const { return list_records()[list].outer_group; }

  // Bytes of the data, and how many of them a search by level 64 keeps in memory.
  uint64_t data_bytes() const { return data_bytes_; }
  uint64_t resident_bytes() const;

  // Sections of the data; their shapes are in codec/format/layout.h.
  const float* mean() const { return section<float>(head_->mean_offset); }
  // µ + c of a list is its scale times these padded_dims bytes.
  const int8_t* center_bytes(uint32_t list) const {
    return section<int8_t>(head_->list_centers_offset) + size_t{list} * padded_dims();
  }
  const float* center_scales() const { return section<float>(head_->center_scales_offset); }
  // Writes µ + c of a list, padded_dims floats, to `out`.
  void read_center(uint32_t list, float* out) const {
    const int8_t* bytes = center_bytes(list);
    for (size_t d = 0; d < padded_dims(); ++d) {
      out[d] = center_scales()[list] * static_cast<float>(bytes[d]);
    }
  }
  const ListRecord* list_records() const { return section<ListRecord>(head_->list_records_offset); }
  // One vector of routing_dims components per list.
  PanelSpan routing_vectors() const {
    return panels(head_->routing_vectors_offset, lists(), head_->routing_dims, 0);
  }
  bool projects_for_routing() const { return head_->routing_projection_offset != 0; }
  // routing_dims directions; present only if routing_dims < padded_dims.
  PanelSpan routing_projection() const {
    return panels(head_->routing_projection_offset, head_->routing_dims, padded_dims(), 0);
  }
  const float* vector_steps() const { return section<float>(head_->vector_steps_offset); }
  // The 64 directions Q of a group at level 64.
  PanelSpan directions(uint32_t group) const {
    return panels(head_->directions_offset, kLevel64Directions, padded_dims(), group);
  }
  // Corners of a group: 4 coordinates x 16 blocks x 16 corners.
  const float* corners(uint32_t group) const {
    return section<float>(head_->corners_offset) + size_t{group} * kLevel64Directions * kCorners;
  }
  // Squared norms of the corners: 16 blocks x 16 corners.
  const float* corner_norms(uint32_t group) const {
    return section<float>(head_->corner_norms_offset) +
           size_t{group} * kLevel64Directions / kBlockDirections * kCorners;
  }
  // The basis V of an outer group at residual levels: basis_columns directions.
  PanelSpan basis(uint32_t outer_group) const {
    return panels(head_->basis_offset, head_->basis_columns, padded_dims(), outer_group);
  }
  // The coordinates that the bits of a residual level code: added_bits of them.
  const CodedCoordinate* coordinates(uint32_t outer_group, size_t level) const {
    const CodecLevel& shape = head_->levels[level];
    return section<CodedCoordinate>(shape.coordinates_offset) +
           size_t{outer_group} * shape.added_bits;
  }
  // The gain that each gain byte stands for: 256 ascending floats.
  const float* gains() const { return section<float>(head_->gains_offset); }
  // Table bounds of a group at level 64, computed by the constructor.
  const TableBounds& table_bounds(uint32_t group) const { return table_bounds_[group]; }

 private:
  void check_numbers() const;
  void check_coordinates() const;
  void bound_tables();

  template <typename Element>
  const Element* section(uint64_t offset) const {
    return reinterpret_cast<const Element*>(data_ + offset);
  }

  // Sets of vectors lie one after another; returns set `number`.
  PanelSpan panels(uint64_t offset, size_t count, size_t dims, size_t number) const {
    return {data_ + offset + number * PanelSpan::data_bytes(count, dims), count, dims};
  }

  std::shared_ptr<const void> owner_;
  const uint8_t* data_;  // 64-byte aligned
  uint64_t data_bytes_;
  Uuid uuid_;
  std::string path_;
  const CodecHead* head_;
  std::vector<TableBounds> table_bounds_;
};

}  // namespace corvid

#endif  // CORVID_CODEC_FORMAT_CODEC_H_
