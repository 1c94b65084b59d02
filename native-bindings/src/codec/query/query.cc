#include "codec/query/query.h"

#include <algorithm>
#include <cmath>

#include "base/prefetch.h"
#include "simd/trellis_values.h"

namespace corvid {
namespace {

Corners corners_of(const Codec& codec, uint32_t group) {
  return {codec.corners(group), codec.corner_norms(group)};
}

}  // namespace

QueryContext::QueryContext(const Codec& codec)
    : codec_(codec),
      query_(codec.padded_dims(), 0.0f),
      known_projections_(codec.groups()),
      known_tables_(codec.groups()),
      projections_(codec.groups() * kLevel64Directions),
      tables_(codec.groups() * kTables * kCorners),
      residual_(codec.outer_groups()) {}

QueryContext::~QueryContext() = default;

void QueryContext::set(const float* query) {
  std::copy_n(query, codec_.dims(), query_.begin());
  quantized_.set(query_.data(), query_.size());
  last_list_ = UINT32_MAX;
  if (++number_ != 0) return;
  // The query number wrapped around after 2^32 queries, so forget everything.
  std::fill(known_projections_.begin(), known_projections_.end(), Known{});
  std::fill(known_tables_.begin(), known_tables_.end(), Known{});
  for (ResidualQuery& residual : residual_) residual = ResidualQuery{};
  known_steps_ = Known{};
  number_ = 1;
}

float QueryContext::list_product(uint32_t list) {
  if (list == last_list_) return last_product_;
  last_list_ = list;
  last_product_ = quantized_.product(codec_.center_bytes(list), codec_.center_scales()[list]);
  return last_product_;
}

void QueryContext::fetch_list(uint32_t list) const {
  prefetch(codec_.center_bytes(list), codec_.padded_dims());
  prefetch(&codec_.list_records()[list], sizeof(ListRecord));
}

const float* QueryContext::projection(uint32_t group) {
  float* group_projection = &projections_[group * kLevel64Directions];
  if (known_projections_[group].take(number_)) {
    quantized_.products(codec_.directions(group), group_projection);
  }
  return group_projection;
}

void QueryContext::build_tables(uint32_t list, float norm_weight, ScanTables* out) {
  const ListRecord& record = codec_.list_records()[list];
  const float* query_projection = projection(record.group);
  const float scale = record.residual_scale;
  const float half_weight = norm_weight / 2 * (scale * scale);  // of the corners' norms
  const float center_weight = norm_weight * record.projection_scale;
  float w[kLevel64Directions];
  const Loops& loops = *kernels().loops;
  loops.weigh_directions(query_projection, record.projection, scale, center_weight, w);
  float lows[kTables];
  const float widest = loops.bound_tables(codec_.table_bounds(record.group), w, half_weight, lows);
  out->scale = widest > 0 ? widest / 255 : 1.0f;
  loops.fill_byte_tables(corners_of(codec_, record.group), w, half_weight, lows, 1 / out->scale,
                         out->bytes);
  float base = list_product(list) - norm_weight / 2 * record.norm_squared;
  for (float low : lows) base += low;
  out->base = base;
}

void QueryContext::build_hamming_tables(uint32_t list, ScanTables* out) {
  const ListRecord& record = codec_.list_records()[list];
  const float* query_projection = projection(record.group);
  const Corners corners = corners_of(codec_, record.group);
  // The query is encoded as a row is, in one lane of sixteen.
  float z[kLevel64Directions * kLanes] = {}, x[kLevel64Directions * kLanes] = {};
  float base[kLevel64Directions * kLanes] = {}, products[kLanes] = {}, norms[kLanes];
  std::fill(std::begin(norms), std::end(norms), 1.0f);
  const float inverse = 1 / record.residual_scale;
  for (size_t i = 0; i < kLevel64Directions; ++i) {
    const float center = record.projection_scale * static_cast<float>(record.projection[i]);
    base[i * kLanes] = inverse * center;
    x[i * kLanes] = inverse * query_projection[i];
    z[i * kLanes] = inverse * (query_projection[i] - center);
  }
  products[0] = inverse * inverse * list_product(list);
  norms[0] = inverse * inverse * record.norm_squared;
  uint8_t codes[kTables * kLanes];
  const Loops& loops = *kernels().loops;
  loops.nearest_corners(corners, z, kLanes, codes);
  loops.improve_cosine(corners, {x, base, products, norms}, kLanes, kEncodeSweeps, codes);
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
  float* tables = &tables_[group * kTables * kCorners];
  if (known_tables_[group].take(number_)) {
    kernels().loops->fill_products(corners_of(codec_, group), projection(group), tables);
  }
  return tables;
}

// With integers the sums are exact in any order; 16 bits are finer than the error of the codes.
const QueryContext::ResidualQuery& QueryContext::residual(uint32_t outer_group, size_t level) {
  ResidualQuery& query = residual_[outer_group];
  if (query.known_projection.take(number_)) {
    query.projection.resize(codec_.head().basis_columns);
    quantized_.products(codec_.basis(outer_group), query.projection.data());
  }
  if (query.known[level].take(number_)) {
    query.z[level].clear();
    constexpr float kLargest = 32767;
    const CodedCoordinate* coordinates = codec_.coordinates(outer_group, level);
    std::vector<float> values(codec_.head().levels[level].added_bits);
    float largest = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = query.projection[coordinates[i].column] * coordinates[i].step;
      largest = std::max(largest, std::fabs(values[i]));
    }
    const float inverse = largest > 0 ? kLargest / largest : 0;
    query.scales[level] = largest / kLargest * kTrellisUnit;
    for (float value : values) {
      const float rounded = std::min(std::max(std::rint(value * inverse), -kLargest), kLargest);
      query.z[level].push_back(static_cast<int16_t>(rounded));
    }
  }
  return query;
}

void QueryContext::score(uint32_t list, const RowCodes& rows, size_t levels, float* out) {
  const ListRecord& record = codec_.list_records()[list];
  const float from_list = list_product(list);
  float sums[kLanes], norms_of[kLanes];
  kernels().sum_codes(rows.first, tables(record.group), sums);
  norms(list, rows, levels, norms_of);
  for (size_t r = 0; r < rows.count; ++r) {
    float product = from_list + record.residual_scale * sums[r];
    if (levels > 1) product += residual_product(record.outer_group, rows.records[r], levels);
    out[r] = product / norms_of[r];
  }
}

float QueryContext::residual_product(uint32_t outer_group, const uint8_t* const* records,
                                     size_t levels) {
  float rest = 0;
  for (size_t level = 1; level < levels; ++level) {
    const ResidualQuery& query = residual(outer_group, level);
    const int32_t sum =
        kernels().trellis_dot(records[level], query.z[level].data(), query.z[level].size());
    rest += query.scales[level] * static_cast<float>(sum);
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
    // Blocks are orthogonal, so ‖x̂‖² = ‖µ + c‖² + Σ s²‖corner‖² + 2s⟨Qᵀ(µ + c), corner⟩. One table
    // per list pays off: rows of a list come consecutively, and filling the table costs as much as
    // computing these sums for one row.
    kernels().loops->fill_norms(corners_of(codec_, record.group), record.projection,
                                record.residual_scale, 2 * record.projection_scale, norms_);
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
    quantized_steps_.set(scaled.data(), scaled.size());
    mean_product_ = kernels().dot(query_.data(), codec_.mean(), scaled.size());
  }
  return mean_product_ + quantized_steps_.product(vector, 1);
}

}  // namespace corvid
