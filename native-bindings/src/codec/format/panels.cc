#include "codec/format/panels.h"

#include <algorithm>
#include <cmath>

namespace corvid {
namespace {

// Rows per call of the kernel, whose products are buffered: a multiple of kLanes, and of the rows
// in every kernel's register block.
constexpr size_t kLaneRows = 48;

}  // namespace

float quantise(const float* values, size_t count, int8_t* out) {
  float largest = 0;
  for (size_t i = 0; i < count; ++i) largest = std::max(largest, std::fabs(values[i]));
  const float scale = largest > 0 ? largest / 127 : 1;
  for (size_t i = 0; i < count; ++i) {
    out[i] = static_cast<int8_t>(std::lrint(values[i] / scale));
  }
  return scale;
}

void PanelSpan::lanes(const uint8_t* rows, const float* row_scales, size_t row_count,
                      const float* start, float* out, size_t stride) const {
  thread_local AlignedVector<int32_t> sums;
  sums.resize(kLaneRows * width());
  for (size_t first = 0; first < row_count; first += kLaneRows) {
    const size_t count = std::min(kLaneRows, row_count - first);
    products(rows + first * depth_, count, sums.data());
    for (size_t lane = 0; lane < count; lane += kLanes) {
      const size_t lane_count = std::min(kLanes, count - lane);
      float lane_scales[kLanes] = {};
      std::copy_n(row_scales + first + lane, lane_count, lane_scales);
      kernels().loops->products_to_lanes(&sums[lane * width()], width(), lane_scales, scales(),
                                         start, count_, lane_count, out + first + lane, stride);
    }
  }
}

void PanelSpan::read(size_t v, size_t dims, float* out) const {
  const int8_t* panel = bytes() + v / kPanelVectors * kPanelVectors * depth_;
  for (size_t d = 0; d < dims; ++d) {
    const int8_t byte = panel[d / 4 * 4 * kPanelVectors + v % kPanelVectors * 4 + d % 4];
    out[d] = scales()[v] * static_cast<float>(byte);
  }
}

std::vector<float> PanelSpan::read_all(size_t dims) const {
  std::vector<float> vectors(count_ * dims);
  for (size_t v = 0; v < count_; ++v) read(v, dims, &vectors[v * dims]);
  return vectors;
}

void write_panels(const float* vectors, size_t count, size_t dims, uint8_t* data) {
  const size_t depth = round_up_to_fours(dims), width = round_up_to_panels(count);
  auto* const scales = reinterpret_cast<float*>(data + width * depth);
  auto* const starts = reinterpret_cast<int32_t*>(scales + width);
  std::vector<int8_t> bytes(dims);
  for (size_t v = 0; v < count; ++v) {
    scales[v] = quantise(vectors + v * dims, dims, bytes.data());
    auto* const panel = reinterpret_cast<int8_t*>(data) + v / kPanelVectors * kPanelVectors * depth;
    for (size_t d = 0; d < dims; ++d) {
      panel[d / 4 * 4 * kPanelVectors + v % kPanelVectors * 4 + d % 4] = bytes[d];
      starts[v] -= kRowByteZero * bytes[d];
    }
  }
}

float quantise_row(const float* x, size_t dims, uint8_t* out) {
  const float largest = kernels().loops->largest_size(x, dims);
  const float scale = largest > 0 ? largest / kRowByteReach : 1;
  // Truncating after adding kRowByteZero + 0.5 rounds to nearest.
  kernels().loops->floats_to_bytes(x, dims, 1 / scale, kRowByteZero + 0.5f, out);
  std::fill(out + dims, out + round_up_to_fours(dims), static_cast<uint8_t>(kRowByteZero));
  return scale;
}

}  // namespace corvid
