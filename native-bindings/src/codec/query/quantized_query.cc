#include "codec/query/quantized_query.h"

#include "simd/multiversioned.h"

namespace corvid {
namespace {

constexpr int kUnit = 128;                 // of the coarse part
constexpr float kReach = 63 * kUnit + 63;  // so that the coarse part lies within -63 .. 63

CORVID_WIDE void split(const float* x, size_t dims, float inverse, int8_t* coarse, int8_t* fine) {
  for (size_t d = 0; d < dims; ++d) {
    // Lifted above zero, where cutting off rounds down.
    constexpr int kLift = kUnit * kUnit;
    const int whole = static_cast<int>(x[d] * inverse + (kLift + 0.5f)) - kLift;
    const int upper = ((whole + kLift + kUnit / 2) >> 7) - kUnit;
    coarse[d] = static_cast<int8_t>(upper);
    fine[d] = static_cast<int8_t>(whole - upper * kUnit);
  }
}

CORVID_WIDE void lift(const int8_t* part, size_t dims, uint8_t* row) {
  for (size_t d = 0; d < dims; ++d) row[d] = static_cast<uint8_t>(part[d] + kRowByteZero);
}

// What the whole numbers give, for the sums that their two parts gave.
inline float joined(int32_t coarse, int32_t fine) {
  return static_cast<float>(kUnit) * static_cast<float>(coarse) + static_cast<float>(fine);
}

CORVID_WIDE void join_all(const int32_t* coarse, const int32_t* fine, const float* scales,
                          float scale, size_t count, float* out) {
  for (size_t v = 0; v < count; ++v) out[v] = scale * scales[v] * joined(coarse[v], fine[v]);
}

}  // namespace

void WholeQuery::set(const float* x, size_t dims) {
  dims_ = dims;
  const size_t depth = whole_fours(dims);
  const float largest = largest_size(x, dims);
  scale_ = largest > 0 ? largest / kReach : 1;
  parts_.resize(2 * dims);
  split(x, dims, 1 / scale_, parts_.data(), parts_.data() + dims);
  rows_.assign(2 * depth, static_cast<uint8_t>(kRowByteZero));
  for (size_t part = 0; part < 2; ++part) {
    lift(&parts_[part * dims], dims, &rows_[part * depth]);
  }
}

void WholeQuery::products(const PanelSpan& panels, float* out) const {
  thread_local std::vector<int32_t> memory;
  const size_t width = panels.width();
  memory.resize(2 * width);
  int32_t* const sums = memory.data();
  panels.products(rows_.data(), 2, sums);
  join_all(sums, sums + width, panels.scales(), scale_, panels.count(), out);
}

void products_of_all(const WholeQuery* queries, size_t count, const PanelSpan& panels, float* out) {
  thread_local std::vector<uint8_t> rows;
  thread_local std::vector<int32_t> memory;
  const size_t width = panels.width();
  rows.clear();
  for (size_t q = 0; q < count; ++q) {
    rows.insert(rows.end(), queries[q].rows_.begin(), queries[q].rows_.end());
  }
  memory.resize(2 * count * width);
  panels.products(rows.data(), 2 * count, memory.data());
  for (size_t q = 0; q < count; ++q) {
    const int32_t* const sums = &memory[2 * q * width];
    join_all(sums, sums + width, panels.scales(), queries[q].scale_, panels.count(),
             out + q * panels.count());
  }
}

float WholeQuery::product(const int8_t* bytes, float vector_scale) const {
  int32_t sums[2];
  kernels().products_i8(parts_.data(), 2, bytes, 1, dims_, sums);
  return scale_ * vector_scale * joined(sums[0], sums[1]);
}

}  // namespace corvid
