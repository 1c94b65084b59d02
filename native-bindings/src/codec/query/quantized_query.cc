#include "codec/query/quantized_query.h"

namespace corvid {
namespace {

// Largest quantised magnitude; it keeps the coarse part within -63 .. 63.
constexpr float kReach = 63 * kCoarseUnit + 63;

}  // namespace

void QuantizedQuery::set(const float* x, size_t dims) {
  dims_ = dims;
  const size_t depth = round_up_to_fours(dims);
  const Loops& loops = *kernels().loops;
  const float largest = loops.largest_size(x, dims);
  scale_ = largest > 0 ? largest / kReach : 1;
  parts_.resize(2 * dims);
  loops.split_coarse_fine(x, dims, 1 / scale_, parts_.data(), parts_.data() + dims);
  rows_.assign(2 * depth, static_cast<uint8_t>(kRowByteZero));
  for (size_t part = 0; part < 2; ++part) {
    for (size_t d = 0; d < dims; ++d) {
      rows_[part * depth + d] = static_cast<uint8_t>(parts_[part * dims + d] + kRowByteZero);
    }
  }
}

void QuantizedQuery::products(const PanelSpan& panels, float* out) const {
  thread_local std::vector<int32_t> memory;
  const size_t width = panels.width();
  memory.resize(2 * width);
  int32_t* const sums = memory.data();
  panels.products(rows_.data(), 2, sums);
  kernels().loops->join_products(sums, sums + width, panels.scales(), scale_, panels.count(), out);
}

void products_of_all(const QuantizedQuery* queries, size_t count, const PanelSpan& panels,
                     float* out) {
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
    kernels().loops->join_products(sums, sums + width, panels.scales(), queries[q].scale_,
                                   panels.count(), out + q * panels.count());
  }
}

float QuantizedQuery::product(const int8_t* bytes, float vector_scale) const {
  int32_t sums[2];
  kernels().products_i8(parts_.data(), 2, bytes, 1, dims_, sums);
  const float joined =
      static_cast<float>(kCoarseUnit) * static_cast<float>(sums[0]) + static_cast<float>(sums[1]);
  return scale_ * vector_scale * joined;
}

}  // namespace corvid
