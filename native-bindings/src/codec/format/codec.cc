#include "codec/format/codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/registry.h"

namespace corvid {
namespace {

Error corrupt(const std::string& path, const std::string& what) {
  return Error("ERR_FORMAT_CORRUPT", what)
      .path(path)
      .hint("restore the file from a copy, or build the index again");
}

// Scores are sorted, so no sum or quotient of these values may be infinite or NaN. Embeddings are
// of unit length, so a valid codec stays far within these limits.
constexpr float kLargestMagnitude = 1e4f;
constexpr float kSmallestDivisor = 1e-4f;

bool is_usable(float value) { return std::fabs(value) <= kLargestMagnitude; }
bool is_divisor(float value) { return value >= kSmallestDivisor && value <= kLargestMagnitude; }

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
  if (!is_divisor(head.mean_norm)) return false;
  for (size_t i = 0; i < head.level_count; ++i) {
    const CodecLevel& level = head.levels[i];
    const uint32_t before = i == 0 ? 0 : kLevels[i - 1];
    if (level.bits != kLevels[i] || level.added_bits != kLevels[i] - before) return false;
    if (level.bits > head.padded_dims) return false;
    if (i > 0 && !(is_divisor(level.norm_low) && level.norm_step >= 0)) return false;
    if (!is_usable(level.norm_low) || !is_usable(level.norm_step)) return false;
    if (i > 0 && !(level.typical_cosine > 0 && level.typical_cosine < 2)) return false;
    if (!(std::fabs(level.cosine_power) < 2)) return false;
  }
  if (head.level_count == 1) return head.basis_columns == 0;
  const uint32_t most_coded = head.levels[head.level_count - 1].added_bits;
  return head.basis_columns >= most_coded && head.basis_columns <= head.padded_dims;
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
    throw corrupt(path_, "the codec's section offsets do not match its sizes");
  }
  for (size_t list = 0; list < lists(); ++list) {
    const ListRecord& record = list_records()[list];
    if (record.group >= groups() || record.outer_group >= outer_groups()) {
      throw corrupt(path_, "a list belongs to a group that does not exist");
    }
    if (!is_divisor(record.residual_scale) || !is_usable(record.projection_scale) ||
        !is_usable(record.norm_squared)) {
      throw corrupt(path_, "a list holds impossible values");
    }
  }
  check_numbers();
  check_coordinates();
  bound_tables();
}

void Codec::check_numbers() const {
  const auto check = [this](const float* numbers, size_t count, const char* what) {
    if (std::all_of(numbers, numbers + count, is_usable)) return;
    throw corrupt(path_, what);
  };
  check(mean(), padded_dims(), "the mean holds impossible values");
  check(vector_steps(), dims(), "the vector steps hold impossible values");
  check(center_scales(), lists(), "a center has an impossible scale");
  check(routing_vectors().scales(), lists(), "a routing vector has an impossible scale");
  if (projects_for_routing()) {
    check(routing_projection().scales(), head_->routing_dims,
          "a routing projection has an impossible scale");
  }
  constexpr size_t kCornerNumbers = kLevel64Directions * kCorners;
  for (uint32_t group = 0; group < groups(); ++group) {
    check(directions(group).scales(), kLevel64Directions, "a direction has an impossible scale");
    check(corners(group), kCornerNumbers, "a corner holds impossible values");
    check(corner_norms(group), kCornerNumbers / kBlockDirections,
          "a corner has an impossible norm");
  }
  if (level_count() == 1) return;
  check(gains(), kGains, "a gain is impossible");
  for (uint32_t group = 0; group < outer_groups(); ++group) {
    check(basis(group).scales(), head_->basis_columns, "a basis has an impossible scale");
  }
}

void Codec::check_coordinates() const {
  for (size_t level = 1; level < level_count(); ++level) {
    const CodedCoordinate* coded = coordinates(0, level);
    for (size_t i = 0; i < outer_groups() * head_->levels[level].added_bits; ++i) {
      if (coded[i].column >= head_->basis_columns || !(coded[i].deviation > 0) ||
          !is_usable(coded[i].weight) || !is_usable(coded[i].step)) {
        throw corrupt(path_, "a coordinate of a residual level holds impossible values");
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
      const float* block_norms = norms + j * kCorners;
      bounds.largest_norm[j] = *std::max_element(block_norms, block_norms + kCorners);
      bounds.smallest_norm[j] = *std::min_element(block_norms, block_norms + kCorners);
    }
  }
}

std::shared_ptr<const Codec> Codec::open(const std::string& path, const Uuid* known) {
  // Never destroyed: worker threads may still run while statics are destroyed at exit.
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
