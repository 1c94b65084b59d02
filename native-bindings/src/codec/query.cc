#include "codec/query.h"

#include <algorithm>
#include <cmath>

#include "codec/corners.h"
#include "codec/level.h"
#include "codec/wide.h"

namespace corvid {
namespace {

// tables[i] = Σ over d of w[d] · corner coordinate d − weight · ‖corner‖², for 256 corners.
// w: 64 numbers, four for each block.
CORVID_WIDE void corner_products(const float* coordinates, const float* norms, const float* w,
                                 float weight, float* tables) {
  constexpr size_t kAll = kTables * kCorners;
  for (size_t j = 0; j < kTables; ++j) {
    const float w0 = w[4 * j], w1 = w[4 * j + 1], w2 = w[4 * j + 2], w3 = w[4 * j + 3];
    const float* c = coordinates + j * kCorners;
    for (size_t v = 0; v < kCorners; ++v) {
      const float product =
          (w0 * c[v] + w1 * c[kAll + v]) + (w2 * c[2 * kAll + v] + w3 * c[3 * kAll + v]);
      tables[j * kCorners + v] = product - weight * norms[j * kCorners + v];
    }
  }
}

CORVID_WIDE void table_ranges(const float* tables, float* lows, float* widest) {
  float most = 0;
  for (size_t j = 0; j < kTables; ++j) {
    float low = tables[j * kCorners], high = low;
    for (size_t v = 1; v < kCorners; ++v) {
      const float value = tables[j * kCorners + v];
      low = value < low ? value : low;
      high = value > high ? value : high;
    }
    lows[j] = low;
    most = high - low > most ? high - low : most;
  }
  *widest = most;
}

CORVID_WIDE void quantise_tables(const float* tables, const float* lows, float inverse,
                                 uint8_t* bytes) {
  for (size_t j = 0; j < kTables; ++j) {
    for (size_t v = 0; v < kCorners; ++v) {
      const size_t i = j * kCorners + v;
      bytes[i] = static_cast<uint8_t>(static_cast<int32_t>((tables[i] - lows[j]) * inverse + 0.5f));
    }
  }
}

// y[c] += Σ over d of x[d] · m[d · columns + c], d ascending for every c separately, as the kernel
// vector_matrix adds. columns: a multiple of kLanes.
CORVID_WIDE void add_products(const float* x, const float* m, size_t rows, size_t columns,
                              float* y) {
  for (size_t c = 0; c < columns; c += kLanes) {
    FloatLanes sum;
    std::memcpy(&sum, y + c, sizeof sum);
    for (size_t d = 0; d < rows; ++d) {
      FloatLanes row;
      std::memcpy(&row, m + d * columns + c, sizeof row);
      sum += x[d] * row;
    }
    std::memcpy(y + c, &sum, sizeof sum);
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
  if (last_list_ != list) {
    const size_t dims = codec_.padded_dims();
    scratch_.resize(std::max(scratch_.size(), dims));
    kernels().half_to_float(codec_.list_centers() + list * dims, scratch_.data(), dims);
    last_product_ = kernels().dot(query_.data(), scratch_.data(), dims);
    last_list_ = list;
  }
  return last_product_;
}

const float* QueryContext::projection(uint32_t group, size_t level) {
  // Few enough at once that they are still in the nearest cache when they are multiplied.
  constexpr size_t kRowsAtOnce = 8;
  std::vector<float>& projection = projections_[level][group];
  if (projection.empty()) {
    const size_t dims = codec_.padded_dims(), bits = codec_.head().levels[level].added_bits;
    scratch_.resize(std::max(scratch_.size(), kRowsAtOnce * bits));
    projection.resize(bits);
    const uint16_t* directions = codec_.directions(group, level);
    for (size_t d = 0; d < dims; d += kRowsAtOnce) {
      const size_t rows = std::min(kRowsAtOnce, dims - d);
      kernels().half_to_float(directions + d * bits, scratch_.data(), rows * bits);
      add_products(&query_[d], scratch_.data(), rows, bits, projection.data());
    }
  }
  return projection.data();
}

void QueryContext::build_tables(uint32_t list, float norm_weight, ScanTables* out) {
  const ListRecord& record = codec_.list_records()[list];
  const float* own = projection(record.group, 0);
  const float half_weight = norm_weight / 2;
  const float center_weight = norm_weight * record.projection_scale;
  float w[kLevel64Directions];
  for (size_t i = 0; i < kLevel64Directions; ++i) {
    w[i] = own[i] - center_weight * static_cast<float>(record.projection[i]);
  }
  float tables[kTables * kTableEntries], lows[kTables], widest;
  corner_products(codec_.corners(record.group, 0), codec_.corner_norms(record.group, 0), w,
                  half_weight, tables);
  table_ranges(tables, lows, &widest);
  out->scale = widest > 0 ? widest / 255 : 1.0f;
  quantise_tables(tables, lows, 1 / out->scale, out->bytes);
  float base = list_product(list) - half_weight * record.norm_squared;
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
  for (size_t i = 0; i < kLevel64Directions; ++i) {
    base[i * kLanes] = record.projection_scale * static_cast<float>(record.projection[i]);
    x[i * kLanes] = own[i];
    z[i * kLanes] = own[i] - base[i * kLanes];
  }
  products[0] = list_product(list);
  norms[0] = record.norm_squared;
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
    product += sum;
  }
  return product / norm(list, code, levels);
}

float QueryContext::norm(uint32_t list, const RowCode& code, size_t levels) const {
  if (levels > 1) {
    const CodecLevel& shape = codec_.head().levels[levels - 1];
    const uint8_t byte = code.records[levels - 1][codec_.level_code_bytes(levels - 1)];
    return shape.norm_low + shape.norm_step * static_cast<float>(byte);
  }
  // Blocks are orthogonal: ‖x̂‖² = ‖µ + c‖² + Σ ‖corner‖² + 2⟨Qᵀ(µ + c), corner⟩.
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
    sum += norms[corner] + 2 * (record.projection_scale * product);
  }
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
