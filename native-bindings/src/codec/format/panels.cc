#include "codec/format/panels.h"

#include <algorithm>
#include <cmath>

#include "simd/multiversioned.h"

namespace corvid {
namespace {

CORVID_WIDE void write_bytes(const float* x, size_t dims, float inverse, uint8_t* out) {
  // Adding a half more than the byte for zero and cutting off rounds to nearest.
  for (size_t d = 0; d < dims; ++d) {
    out[d] = static_cast<uint8_t>(static_cast<int32_t>(x[d] * inverse + (kRowByteZero + 0.5f)));
  }
}

// out[v * stride + i] (+)= of at most sixteen rows i, whose products lie row by row.
CORVID_WIDE void settle_lanes(const int32_t* products, size_t width, const float row_scales[kLanes],
                              const float* scales, const float* start, size_t vectors, size_t rows,
                              float* out, size_t stride) {
  for (size_t v = 0; v < vectors; ++v) {
    float* to = out + v * stride;
    float lanes[kLanes];
    for (size_t i = 0; i < kLanes; ++i) lanes[i] = static_cast<float>(products[i * width + v]);
    for (size_t i = 0; i < kLanes; ++i) lanes[i] *= row_scales[i] * scales[v];
    if (rows < kLanes) {
      for (size_t i = 0; i < rows; ++i) to[i] = (start == nullptr ? to[i] : start[v]) + lanes[i];
    } else if (start == nullptr) {
      for (size_t i = 0; i < kLanes; ++i) to[i] += lanes[i];
    } else {
      for (size_t i = 0; i < kLanes; ++i) to[i] = start[v] + lanes[i];
    }
  }
}

// Rows whose products are held at once: whole lanes, and whole blocks of the kernels.
constexpr size_t kLaneRows = 48;

}  // namespace

CORVID_WIDE float largest_size(const float* x, size_t dims) {
  FloatLanes high{}, low{};
  for (size_t d = 0; d + kLanes <= dims; d += kLanes) {
    FloatLanes own;
    std::memcpy(&own, x + d, sizeof own);
    high = own > high ? own : high;
    low = own < low ? own : low;
  }
  float largest = 0;
  for (size_t i = 0; i < kLanes; ++i) largest = std::max({largest, high[i], -low[i]});
  for (size_t d = dims / kLanes * kLanes; d < dims; ++d) {
    largest = std::max(largest, std::fabs(x[d]));
  }
  return largest;
}

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
  thread_local AlignedVector<int32_t> numbers;
  numbers.resize(kLaneRows * width());
  for (size_t first = 0; first < row_count; first += kLaneRows) {
    const size_t count = std::min(kLaneRows, row_count - first);
    products(rows + first * depth_, count, numbers.data());
    for (size_t lane = 0; lane < count; lane += kLanes) {
      const size_t here = std::min(kLanes, count - lane);
      float own[kLanes] = {};
      std::copy_n(row_scales + first + lane, here, own);
      settle_lanes(&numbers[lane * width()], width(), own, scales(), start, count_, here,
                   out + first + lane, stride);
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
  const size_t depth = whole_fours(dims), width = whole_panels(count);
  auto* const scales = reinterpret_cast<float*>(data + width * depth);
  auto* const starts = reinterpret_cast<int32_t*>(scales + width);
  std::vector<int8_t> own(dims);
  for (size_t v = 0; v < count; ++v) {
    scales[v] = quantise(vectors + v * dims, dims, own.data());
    auto* const panel = reinterpret_cast<int8_t*>(data) + v / kPanelVectors * kPanelVectors * depth;
    for (size_t d = 0; d < dims; ++d) {
      panel[d / 4 * 4 * kPanelVectors + v % kPanelVectors * 4 + d % 4] = own[d];
      starts[v] -= kRowByteZero * own[d];
    }
  }
}

float quantise_row(const float* x, size_t dims, uint8_t* out) {
  const float largest = largest_size(x, dims);
  const float scale = largest > 0 ? largest / kRowByteReach : 1;
  write_bytes(x, dims, 1 / scale, out);
  std::fill(out + dims, out + whole_fours(dims), static_cast<uint8_t>(kRowByteZero));
  return scale;
}

}  // namespace corvid
