#include "codec/query.h"

#include <algorithm>
#include <cmath>

#include "codec/corners.h"
#include "codec/level.h"
#include "codec/wide.h"

namespace corvid {
namespace {

// What a block's table can reach at most, for all blocks: |⟨w, corner⟩| <= Σ |w_d| · reach_d, and
// the norms lie between their extremes. Bounds instead of the true extremes make the byte tables
// coarser by a few per cent, which costs no recall, and spare 512 comparisons.
CORVID_WIDE void bound_tables(const TableBounds& bounds, const float* w, float half_weight,
                              float* lows, float* widest) {
  float sizes[kLevel64Directions], products[kTables], ranges[kTables];
  for (size_t i = 0; i < kLevel64Directions; ++i) sizes[i] = std::fabs(w[i]) * bounds.reach[i];
  for (size_t j = 0; j < kTables; ++j) {
    const float* own = sizes + j * kBlockDirections;
    products[j] = (own[0] + own[1]) + (own[2] + own[3]);
  }
  for (size_t j = 0; j < kTables; ++j) {
    lows[j] = -products[j] - half_weight * bounds.largest_norm[j];
    ranges[j] = products[j] - half_weight * bounds.smallest_norm[j] - lows[j];
  }
  *widest = *std::max_element(ranges, ranges + kTables);
}

// bytes[16 j + v] = (⟨w_j, corner_jv⟩ − half_weight · ‖corner_jv‖² − low_j) · inverse, rounded.
CORVID_WIDE void fill_tables(const float* coordinates, const float* norms, const float* w,
                             float half_weight, const float* lows, float inverse, uint8_t* bytes) {
  constexpr size_t kAll = kTables * kCorners;
  for (size_t j = 0; j < kTables; ++j) {
    const float w0 = w[4 * j] * inverse, w1 = w[4 * j + 1] * inverse;
    const float w2 = w[4 * j + 2] * inverse, w3 = w[4 * j + 3] * inverse;
    const float norm_factor = half_weight * inverse, start = 0.5f - lows[j] * inverse;
    FloatLanes c[kBlockDirections], norm;
    for (size_t d = 0; d < kBlockDirections; ++d) {
      std::memcpy(&c[d], coordinates + d * kAll + j * kCorners, sizeof c[d]);
    }
    std::memcpy(&norm, norms + j * kCorners, sizeof norm);
    const FloatLanes value =
        ((c[0] * w0 + c[1] * w1) + (c[2] * w2 + c[3] * w3)) - (norm * norm_factor - start);
    const IntLanes whole = __builtin_convertvector(value, IntLanes);
    const ByteLanes narrow = __builtin_convertvector(whole, ByteLanes);
    std::memcpy(bytes + j * kCorners, &narrow, sizeof narrow);
  }
}

}  // namespace

QueryContext::QueryContext(const Codec& codec, const float* query)
    : codec_(codec), query_(codec.padded_dims(), 0.0f) {
  std::copy_n(query, codec.dims(), query_.begin());
  for (size_t level = 0; level < codec.level_count(); ++level) {
    projections_[level].resize(codec.head().levels[level].groups);
    tables_[level].resize(codec.head().levels[level].groups);
  }
}

QueryContext::~QueryContext() = default;

float QueryContext::list_product(uint32_t list) {
  if (list == last_list_) return last_product_;
  const size_t dims = codec_.padded_dims();
  scratch_.resize(std::max(scratch_.size(), dims));
  kernels().half_to_float(codec_.list_centers() + list * dims, scratch_.data(), dims);
  last_list_ = list;
  last_product_ = kernels().dot(query_.data(), scratch_.data(), dims);
  return last_product_;
}

const float* QueryContext::projection(uint32_t group, size_t level) {
  std::vector<float>& projection = projections_[level][group];
  if (projection.empty()) {
    const size_t dims = codec_.padded_dims(), bits = codec_.head().levels[level].added_bits;
    projection.resize(bits);
    kernels().vector_matrix(query_.data(), codec_.directions(group, level), dims, bits,
                            projection.data());
  }
  return projection.data();
}

void QueryContext::build_tables(uint32_t list, float norm_weight, ScanTables* out) {
  const ListRecord& record = codec_.list_records()[list];
  const float* own = projection(record.group, 0);
  const float scale = record.residual_scale;
  const float half_weight = norm_weight / 2 * (scale * scale);  // of the corners' norms
  const float center_weight = norm_weight * record.projection_scale;
  float w[kLevel64Directions];
  for (size_t i = 0; i < kLevel64Directions; ++i) {
    w[i] = scale * (own[i] - center_weight * static_cast<float>(record.projection[i]));
  }
  float lows[kTables], widest;
  bound_tables(codec_.table_bounds(record.group), w, half_weight, lows, &widest);
  out->scale = widest > 0 ? widest / 255 : 1.0f;
  fill_tables(codec_.corners(record.group, 0), codec_.corner_norms(record.group, 0), w, half_weight,
              lows, 1 / out->scale, out->bytes);
  float base = list_product(list) - norm_weight / 2 * record.norm_squared;
  for (float low : lows) base += low;
  out->base = base;
}

void QueryContext::build_hamming_tables(uint32_t list, ScanTables* out) {
  const ListRecord& record = codec_.list_records()[list];
  const float* own = projection(record.group, 0);
  const Corners corners{kTables, codec_.corners(record.group, 0),
                        codec_.corner_norms(record.group, 0)};
  // The query's code is chosen as a row's is; it fills one lane of sixteen.
  float z[kLevel64Directions * kLanes] = {}, x[kLevel64Directions * kLanes] = {};
  float base[kLevel64Directions * kLanes] = {}, products[kLanes] = {}, norms[kLanes];
  std::fill(std::begin(norms), std::end(norms), 1.0f);
  const float inverse = 1 / record.residual_scale;
  for (size_t i = 0; i < kLevel64Directions; ++i) {
    const float center = record.projection_scale * static_cast<float>(record.projection[i]);
    base[i * kLanes] = inverse * center;
    x[i * kLanes] = inverse * own[i];
    z[i * kLanes] = inverse * (own[i] - center);
  }
  products[0] = inverse * inverse * list_product(list);
  norms[0] = inverse * inverse * record.norm_squared;
  uint8_t codes[kTables * kLanes];
  nearest_corners(corners, z, kLanes, codes);
  improve_cosine(corners, {x, base, products, norms}, kLanes, kEncodeSweeps, codes);
  for (size_t j = 0; j < kTables; ++j) {
    for (size_t v = 0; v < kTableEntries; ++v) {
      const size_t differs = v ^ codes[j * kLanes];
      const size_t bits = (differs & 1) + (differs >> 1 & 1) + (differs >> 2 & 1) + (differs >> 3);
      out->bytes[j * kTableEntries + v] = static_cast<uint8_t>(kBlockDirections - bits);
    }
  }
  out->base = 0;
  out->scale = 1;
}

const float* QueryContext::tables(uint32_t group, size_t level) {
  std::vector<float>& tables = tables_[level][group];
  if (tables.empty()) {
    const float* own = projection(group, level);
    const float* coordinates = codec_.corners(group, level);
    const size_t blocks = codec_.head().levels[level].added_bits / kBlockDirections;
    tables.resize(blocks * kCorners);
    for (size_t i = 0; i < tables.size(); ++i) {
      const float* w = own + i / kCorners * kBlockDirections;
      tables[i] =
          (w[0] * coordinates[i] + w[1] * coordinates[tables.size() + i]) +
          (w[2] * coordinates[2 * tables.size() + i] + w[3] * coordinates[3 * tables.size() + i]);
    }
  }
  return tables.data();
}

float QueryContext::score(uint32_t list, const RowCode& code, size_t levels) {
  float product = list_product(list);
  for (size_t level = 0; level < levels; ++level) {
    const float* table = tables(codec_.group_of(list, level), level);
    float sum = 0;
    for (size_t b = 0; b < codec_.level_code_bytes(level); ++b, table += 2 * kCorners) {
      const uint8_t byte = code.records[level][b];
      sum += table[byte & 15] + table[kCorners + (byte >> 4)];
    }
    product += level == 0 ? codec_.list_records()[list].residual_scale * sum : sum;
  }
  return product / norm(list, code, levels);
}

float QueryContext::norm(uint32_t list, const RowCode& code, size_t levels) const {
  if (levels > 1) {
    const CodecLevel& shape = codec_.head().levels[levels - 1];
    const uint8_t byte = code.records[levels - 1][codec_.level_code_bytes(levels - 1)];
    return shape.norm_low + shape.norm_step * static_cast<float>(byte);
  }
  // Blocks are orthogonal: ‖x̂‖² = ‖µ + c‖² + Σ s²‖corner‖² + 2s⟨Qᵀ(µ + c), corner⟩.
  const ListRecord& record = codec_.list_records()[list];
  const float* coordinates = codec_.corners(record.group, 0);
  const float* norms = codec_.corner_norms(record.group, 0);
  constexpr size_t kAll = kTables * kCorners;
  float sum = 0;
  for (size_t j = 0; j < kTables; ++j) {
    const size_t corner = j * kCorners + (code.records[0][j / 2] >> (j % 2 * 4) & 15);
    float product = 0;
    for (size_t d = 0; d < kBlockDirections; ++d) {
      product += static_cast<float>(record.projection[j * kBlockDirections + d]) *
                 coordinates[d * kAll + corner];
    }
    sum += record.residual_scale * norms[corner] + 2 * (record.projection_scale * product);
  }
  sum *= record.residual_scale;
  return std::sqrt(std::max(record.norm_squared + sum, 1e-12f));
}

float QueryContext::score_vector(const int8_t* vector) {
  const size_t dims = codec_.dims();
  if (scaled_query_.empty()) {
    scaled_query_.resize(dims);
    for (size_t d = 0; d < dims; ++d) scaled_query_[d] = query_[d] * codec_.vector_steps()[d];
    mean_product_ = kernels().dot(query_.data(), codec_.mean(), dims);
  }
  return mean_product_ + kernels().dot_i8(scaled_query_.data(), vector, dims);
}

}  // namespace corvid
