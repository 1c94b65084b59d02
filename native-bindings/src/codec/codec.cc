#include "codec/codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "error.h"
#include "registry.h"

namespace corvid {
namespace {

Error corrupt(const std::string& path, const std::string& what) {
  return Error("ERR_FORMAT_CORRUPT", what)
      .path(path)
      .hint("restore the file from a copy, or build the index again");
}

bool plausible(const CodecHead& head) {
  if (head.head_bytes != sizeof(CodecHead)) return false;
  const auto method = static_cast<CodecMethod>(head.method);
  if (method != CodecMethod::kTrained && method != CodecMethod::kRotation) return false;
  if (head.dims == 0 || head.dims > kMaxDims) return false;
  if (head.padded_dims != std::max<uint32_t>(head.dims, kLevel64Directions)) return false;
  if (head.lists == 0 || head.lists > kMaxLists) return false;
  if (head.groups == 0 || head.groups > kMaxGroups || head.groups > head.lists) return false;
  if (head.outer_groups == 0 || head.outer_groups > head.groups) return false;
  if (head.routing_dims == 0 || head.routing_dims > head.padded_dims) return false;
  if (head.level_count == 0 || head.level_count > kLevelCount) return false;
  if (!std::isfinite(head.mean_norm) || head.mean_norm <= 0) return false;
  for (size_t i = 0; i < head.level_count; ++i) {
    const CodecLevel& level = head.levels[i];
    const uint32_t before = i == 0 ? 0 : kLevels[i - 1];
    if (level.bits != kLevels[i] || level.added_bits != kLevels[i] - before) return false;
    if (level.bits > head.padded_dims) return false;
    if (!std::isfinite(level.norm_low) || !std::isfinite(level.norm_step)) return false;
    if (i > 0 && !(level.norm_low > 0 && level.norm_step >= 0)) return false;
    if (i > 0 && !(level.typical_cosine > 0 && level.typical_cosine < 2)) return false;
    if (!(std::fabs(level.cosine_power) < 2)) return false;
  }
  if (head.level_count == 1) return head.basis_columns == 0;
  const uint32_t longest = head.levels[head.level_count - 1].added_bits;
  return head.basis_columns >= longest && head.basis_columns <= head.padded_dims;
}

}  // namespace

Codec::Codec(std::shared_ptr<const void> owner, const uint8_t* data, uint64_t data_bytes, Uuid uuid,
             std::string path)
    : owner_(std::move(owner)),
      data_(data),
      data_bytes_(data_bytes),
      uuid_(uuid),
      path_(std::move(path)) {
  if (data_bytes_ < sizeof(CodecHead)) throw corrupt(path_, "the codec is shorter than its head");
  head_ = reinterpret_cast<const CodecHead*>(data_);
  CodecHead expected = *head_;
  if (!plausible(expected)) throw corrupt(path_, "the codec's head holds impossible values");
  if (place_sections(&expected) != data_bytes_ ||
      std::memcmp(&expected, head_, sizeof expected) != 0) {
    throw corrupt(path_, "the codec's sections do not lie where its sizes say");
  }
  for (size_t list = 0; list < lists(); ++list) {
    const ListRecord& record = list_records()[list];
    if (record.group >= groups() || record.outer_group >= outer_groups()) {
      throw corrupt(path_, "a list belongs to a group that the codec does not have");
    }
    if (!std::isfinite(record.residual_scale) || record.residual_scale <= 0) {
      throw corrupt(path_, "a list has an impossible scale");
    }
  }
  check_scales();
  check_coordinates();
  bound_tables();
}

// Whatever is sorted by products with vectors must be finite.
void Codec::check_scales() const {
  const auto check = [this](const float* scales, size_t count) {
    constexpr float kMost = 4;  // all vectors are of unit length, or not much longer
    for (size_t i = 0; i < count; ++i) {
      if (scales[i] >= 0 && scales[i] <= kMost) continue;
      throw corrupt(path_, "a vector has an impossible scale");
    }
  };
  check(center_scales(), lists());
  check(routing_vectors().scales(), lists());
  if (projects_for_routing()) check(routing_projection().scales(), head_->routing_dims);
  for (uint32_t group = 0; group < groups(); ++group) {
    check(directions(group).scales(), kLevel64Directions);
  }
  for (uint32_t group = 0; level_count() > 1 && group < outer_groups(); ++group) {
    check(basis(group).scales(), head_->basis_columns);
  }
}

void Codec::check_coordinates() const {
  for (size_t level = 1; level < level_count(); ++level) {
    const CodedCoordinate* coded = coordinates(0, level);
    for (size_t i = 0; i < outer_groups() * head_->levels[level].added_bits; ++i) {
      if (coded[i].column >= head_->basis_columns || !(coded[i].deviation > 0) ||
          !std::isfinite(coded[i].weight) || !std::isfinite(coded[i].step)) {
        throw corrupt(path_, "a coordinate of a longer level holds impossible values");
      }
    }
  }
}

void Codec::bound_tables() {
  constexpr size_t kBlocks = kLevel64Directions / kBlockDirections;
  table_bounds_.resize(groups());
  for (size_t group = 0; group < groups(); ++group) {
    const float* coordinates = corners(static_cast<uint32_t>(group));
    const float* norms = corner_norms(static_cast<uint32_t>(group));
    TableBounds& bounds = table_bounds_[group];
    for (size_t j = 0; j < kBlocks; ++j) {
      for (size_t d = 0; d < kBlockDirections; ++d) {
        float& reach = bounds.reach[j * kBlockDirections + d] = 0;
        for (size_t v = 0; v < kCorners; ++v) {
          reach = std::max(reach, std::fabs(coordinates[(d * kBlocks + j) * kCorners + v]));
        }
      }
      const float* own = norms + j * kCorners;
      bounds.largest_norm[j] = *std::max_element(own, own + kCorners);
      bounds.smallest_norm[j] = *std::min_element(own, own + kCorners);
    }
  }
}

std::shared_ptr<const Codec> Codec::open(const std::string& path, const Uuid* known) {
  // Never destroyed: worker threads may outlive the order in which statics go.
  static auto* const codecs = new Registry<std::pair<std::string, Uuid>, const Codec>;
  if (known != nullptr) {
    if (auto codec = codecs->find({path, *known})) return codec;
  }
  const auto file = std::make_shared<const FramedFile>(path, FileKind::kCodec);
  return codecs->open({path, file->uuid()}, [&] {
    return std::make_shared<const Codec>(file, file->data(), file->data_bytes(), file->uuid(),
                                         path);
  });
}

void Codec::save(const std::string& path) const {
  FileWriter writer(path, {FileKind::kCodec, 0, sizeof(CodecHead), uuid_});
  writer.write(data_, data_bytes_);
  writer.finish(1);
}

size_t Codec::row_bytes() const {
  size_t bytes = 0;
  for (size_t i = 0; i < level_count(); ++i) bytes += plane_stride_bytes(level_bits(i));
  return bytes;
}

uint64_t Codec::resident_bytes() const {
  uint64_t bytes = head_->list_centers_offset + lists() * padded_dims();
  bytes += groups() * sizeof(TableBounds);
  const uint64_t directions = groups() * kLevel64Directions;
  bytes += groups() * PanelSpan::data_bytes(kLevel64Directions, padded_dims());
  bytes += directions * (kCorners + kCorners / kBlockDirections) * sizeof(float);
  return bytes;
}

}  // namespace corvid
