#include "codec/query/query.h"

#include <algorithm>
#include <cmath>

#include "base/prefetch.h"
#include "codec/format/corners.h"
#include "simd/multiversioned.h"
#include "simd/trellis_values.h"

namespace corvid {
namespace {

// out[i] = scale · (own[i] − center_weight · projection[i]), for all directions
CORVID_WIDE void weigh(const float* own, const int8_t* projection, float scale, float center_weight,
                       float* out) {
  for (size_t i = 0; i < kLevel64Directions; ++i) {
    out[i] = scale * (own[i] - center_weight * static_cast<float>(projection[i]));
  }
}

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

// out[16 j + v] = ⟨w_j, corner_jv⟩
CORVID_WIDE void fill_products(const float* coordinates, const float* w, float* out) {
  constexpr size_t kAll = kTables * kCorners;
  for (size_t j = 0; j < kTables; ++j) {
    FloatLanes c[kBlockDirections];
    for (size_t d = 0; d < kBlockDirections; ++d) {
      std::memcpy(&c[d], coordinates + d * kAll + j * kCorners, sizeof c[d]);
    }
    const float* own = w + j * kBlockDirections;
    const FloatLanes value = (c[0] * own[0] + c[1] * own[1]) + (c[2] * own[2] + c[3] * own[3]);
    std::memcpy(out + j * kCorners, &value, sizeof value);
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

QueryContext::QueryContext(const Codec& codec)
    : codec_(codec),
      query_(codec.padded_dims(), 0.0f),
      known_projections_(codec.groups()),
      known_tables_(codec.groups()),
      projections_(codec.groups() * kLevel64Directions),
      tables_(codec.groups() * kTables * kCorners),
      longer_(codec.outer_groups()) {}

QueryContext::~QueryContext() = default;

void QueryContext::set(const float* query) {
  std::copy_n(query, codec_.dims(), query_.begin());
  whole_.set(query_.data(), query_.size());
  last_list_ = UINT32_MAX;
  if (++number_ != 0) return;
  // After four billion queries, numbers begin again.
  std::fill(known_projections_.begin(), known_projections_.end(), Known{});
  std::fill(known_tables_.begin(), known_tables_.end(), Known{});
  for (Longer& longer : longer_) longer = Longer{};
  known_steps_ = Known{};
  number_ = 1;
}

float QueryContext::list_product(uint32_t list) {
  if (list == last_list_) return last_product_;
  last_list_ = list;
  last_product_ = whole_.product(codec_.center_bytes(list), codec_.center_scales()[list]);
  return last_product_;
}

void QueryContext::fetch_list(uint32_t list) const {
  prefetch(codec_.center_bytes(list), codec_.padded_dims());
  prefetch(&codec_.list_records()[list], sizeof(ListRecord));
}

const float* QueryContext::projection(uint32_t group) {
  float* own = &projections_[group * kLevel64Directions];
  if (known_projections_[group].take(number_)) whole_.products(codec_.directions(group), own);
  return own;
}

void QueryContext::build_tables(uint32_t list, float norm_weight, ScanTables* out) {
  const ListRecord& record = codec_.list_records()[list];
  const float* own = projection(record.group);
  const float scale = record.residual_scale;
  const float half_weight = norm_weight / 2 * (scale * scale);  // of the corners' norms
  const float center_weight = norm_weight * record.projection_scale;
  float w[kLevel64Directions];
  weigh(own, record.projection, scale, center_weight, w);
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
  constexpr size_t kAll = kTables * kCorners;
  float* tables = &tables_[group * kAll];
  if (known_tables_[group].take(number_)) {
    fill_products(codec_.corners(group), projection(group), tables);
  }
  return tables;
}

// Whole numbers make the sums exact, whatever their order; 16 bits are finer than any error here.
const QueryContext::Longer& QueryContext::longer(uint32_t outer_group, size_t level) {
  Longer& own = longer_[outer_group];
  if (own.known_projection.take(number_)) {
    own.projection.resize(codec_.head().basis_columns);
    whole_.products(codec_.basis(outer_group), own.projection.data());
  }
  if (own.known[level].take(number_)) {
    own.z[level].clear();
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

void QueryContext::score(uint32_t list, const RowCodes& rows, size_t levels, float* out) {
  const ListRecord& record = codec_.list_records()[list];
  const float from_list = list_product(list);
  float sums[kLanes], norms_of[kLanes];
  kernels().sum_codes(rows.first, tables(record.group), sums);
  norms(list, rows, levels, norms_of);
  for (size_t r = 0; r < rows.count; ++r) {
    float product = from_list + record.residual_scale * sums[r];
    if (levels > 1) product += longer_product(record.outer_group, rows.records[r], levels);
    out[r] = product / norms_of[r];
  }
}

float QueryContext::longer_product(uint32_t outer_group, const uint8_t* const* records,
                                   size_t levels) {
  float rest = 0;
  for (size_t level = 1; level < levels; ++level) {
    const Longer& own = longer(outer_group, level);
    const int32_t whole =
        kernels().trellis_dot(records[level], own.z[level].data(), own.z[level].size());
    rest += own.scales[level] * static_cast<float>(whole);
  }
  return codec_.gains()[records[1][codec_.level_code_bytes(1)]] * rest;
}

void QueryContext::norms(uint32_t list, const RowCodes& rows, size_t levels, float* out) {
  if (levels > 1) {
    const CodecLevel& shape = codec_.head().levels[levels - 1];
    const size_t at = plane_stride_bytes(shape.bits) - 1;
    for (size_t r = 0; r < rows.count; ++r) {
      const uint8_t byte = rows.records[r][levels - 1][at];
      out[r] = shape.norm_low + shape.norm_step * static_cast<float>(byte);
    }
    return;
  }
  const ListRecord& record = codec_.list_records()[list];
  if (list != norms_list_) {
    fill_norms(codec_.corners(record.group), codec_.corner_norms(record.group), record, norms_);
    norms_list_ = list;
  }
  float sums[kLanes];
  kernels().sum_codes(rows.first, norms_, sums);
  for (size_t r = 0; r < rows.count; ++r) {
    out[r] = std::sqrt(std::max(record.norm_squared + sums[r], 1e-12f));
  }
}

float QueryContext::score_vector(const int8_t* vector) {
  if (known_steps_.take(number_)) {
    std::vector<float> scaled(codec_.dims());
    for (size_t d = 0; d < scaled.size(); ++d) scaled[d] = query_[d] * codec_.vector_steps()[d];
    whole_steps_.set(scaled.data(), scaled.size());
    mean_product_ = kernels().dot(query_.data(), codec_.mean(), scaled.size());
  }
  return mean_product_ + whole_steps_.product(vector, 1);
}

}  // namespace corvid
