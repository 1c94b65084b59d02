#include "codec/query.h"

#include <algorithm>
#include <cmath>

#include "codec/corners.h"
#include "codec/level.h"
#include "codec/wide.h"
#include "trellis_values.h"

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

// What each corner adds to ‖x̂‖² in a list: blocks are orthogonal, so that
// ‖x̂‖² = ‖µ + c‖² + Σ s²‖corner‖² + 2s⟨Qᵀ(µ + c), corner⟩. A table for each list, for its rows come
// after one another, and building it costs what one row's sums would.
CORVID_WIDE void fill_norms(const float* coordinates, const float* norms, const ListRecord& record,
                            float* out) {
  constexpr size_t kAll = kTables * kCorners;
  const float scale = record.residual_scale, twice = 2 * record.projection_scale;
  for (size_t j = 0; j < kTables; ++j) {
    FloatLanes product{}, norm;
    for (size_t d = 0; d < kBlockDirections; ++d) {
      FloatLanes corner;
      std::memcpy(&corner, coordinates + d * kAll + j * kCorners, sizeof corner);
      product += corner * static_cast<float>(record.projection[j * kBlockDirections + d]);
    }
    std::memcpy(&norm, norms + j * kCorners, sizeof norm);
    const FloatLanes value = scale * (scale * norm + twice * product);
    std::memcpy(out + j * kCorners, &value, sizeof value);
  }
}

}  // namespace

QueryContext::QueryContext(const Codec& codec, const float* query)
    : codec_(codec),
      query_(codec.padded_dims(), 0.0f),
      projections_(codec.groups()),
      tables_(codec.groups()),
      longer_(codec.outer_groups()) {
  std::copy_n(query, codec.dims(), query_.begin());
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

const float* QueryContext::projection(uint32_t group) {
  std::vector<float>& projection = projections_[group];
  if (projection.empty()) {
    projection.resize(kLevel64Directions);
    kernels().vector_matrix(query_.data(), codec_.directions(group), codec_.padded_dims(),
                            kLevel64Directions, projection.data());
  }
  return projection.data();
}

void QueryContext::build_tables(uint32_t list, float norm_weight, ScanTables* out) {
  const ListRecord& record = codec_.list_records()[list];
  const float* own = projection(record.group);
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
  fill_tables(codec_.corners(record.group), codec_.corner_norms(record.group), w, half_weight, lows,
              1 / out->scale, out->bytes);
  float base = list_product(list) - norm_weight / 2 * record.norm_squared;
  for (float low : lows) base += low;
  out->base = base;
}

void QueryContext::build_hamming_tables(uint32_t list, ScanTables* out) {
  const ListRecord& record = codec_.list_records()[list];
  const float* own = projection(record.group);
  const Corners corners{kTables, codec_.corners(record.group), codec_.corner_norms(record.group)};
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

const float* QueryContext::tables(uint32_t group) {
  std::vector<float>& tables = tables_[group];
  if (tables.empty()) {
    constexpr size_t kAll = kTables * kCorners;
    const float* own = projection(group);
    const float* coordinates = codec_.corners(group);
    tables.resize(kAll);
    for (size_t i = 0; i < kAll; ++i) {
      const float* w = own + i / kCorners * kBlockDirections;
      tables[i] = (w[0] * coordinates[i] + w[1] * coordinates[kAll + i]) +
                  (w[2] * coordinates[2 * kAll + i] + w[3] * coordinates[3 * kAll + i]);
    }
  }
  return tables.data();
}

// Whole numbers make the sums exact, whatever their order; 16 bits are finer than any error here.
const QueryContext::Longer& QueryContext::longer(uint32_t outer_group, size_t level) {
  Longer& own = longer_[outer_group];
  if (own.projection.empty()) {
    own.projection.resize(codec_.head().basis_columns);
    kernels().vector_matrix(query_.data(), codec_.basis(outer_group), codec_.padded_dims(),
                            own.projection.size(), own.projection.data());
  }
  if (own.z[level].empty()) {
    constexpr float kLargest = 32767;
    const CodedCoordinate* coordinates = codec_.coordinates(outer_group, level);
    std::vector<float> values(codec_.head().levels[level].added_bits);
    float largest = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = own.projection[coordinates[i].column] * coordinates[i].step;
      largest = std::max(largest, std::fabs(values[i]));
    }
    const float inverse = largest > 0 ? kLargest / largest : 0;
    own.scales[level] = largest / kLargest * kTrellisUnit;
    for (float value : values) {
      const float place = std::min(std::max(std::rint(value * inverse), -kLargest), kLargest);
      own.z[level].push_back(static_cast<int16_t>(place));
    }
  }
  return own;
}

float QueryContext::score(uint32_t list, const RowCode& code, size_t levels) {
  const ListRecord& record = codec_.list_records()[list];
  const float* table = tables(record.group);
  float sum = 0;
  for (size_t b = 0; b < kPlane64Bytes; ++b, table += 2 * kCorners) {
    const uint8_t byte = code.records[0][b];
    sum += table[byte & 15] + table[kCorners + (byte >> 4)];
  }
  float product = list_product(list) + record.residual_scale * sum;
  if (levels > 1) {
    float rest = 0;
    for (size_t level = 1; level < levels; ++level) {
      const Longer& own = longer(record.outer_group, level);
      const int32_t whole =
          kernels().trellis_dot(code.records[level], own.z[level].data(), own.z[level].size());
      rest += own.scales[level] * static_cast<float>(whole);
    }
    product += codec_.gains()[code.records[1][codec_.level_code_bytes(1)]] * rest;
  }
  return product / norm(list, code, levels);
}

float QueryContext::norm(uint32_t list, const RowCode& code, size_t levels) {
  if (levels > 1) {
    const CodecLevel& shape = codec_.head().levels[levels - 1];
    const uint8_t byte = code.records[levels - 1][plane_stride_bytes(shape.bits) - 1];
    return shape.norm_low + shape.norm_step * static_cast<float>(byte);
  }
  if (list != norms_list_) {
    const ListRecord& record = codec_.list_records()[list];
    fill_norms(codec_.corners(record.group), codec_.corner_norms(record.group), record, norms_);
    norms_list_ = list;
  }
  const float* table = norms_;
  float sum = 0;
  for (size_t b = 0; b < kPlane64Bytes; ++b, table += 2 * kCorners) {
    const uint8_t byte = code.records[0][b];
    sum += table[byte & 15] + table[kCorners + (byte >> 4)];
  }
  return std::sqrt(std::max(codec_.list_records()[list].norm_squared + sum, 1e-12f));
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
