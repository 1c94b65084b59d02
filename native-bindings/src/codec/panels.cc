#include "codec/panels.h"

#include <algorithm>
#include <cmath>

#include "codec/routing.h"
#include "codec/wide.h"

namespace corvid {
namespace {

CORVID_WIDE float largest_size(const float* x, size_t dims) {
  float runs[kLanes] = {};
  for (size_t d = 0; d + kLanes <= dims; d += kLanes) {
    for (size_t i = 0; i < kLanes; ++i) {
      const float size = std::fabs(x[d + i]);
      runs[i] = size > runs[i] ? size : runs[i];
    }
  }
  for (size_t d = dims / kLanes * kLanes; d < dims; ++d)
    runs[0] = std::max(runs[0], std::fabs(x[d]));
  return *std::max_element(runs, runs + kLanes);
}

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

void Panels::lanes(const uint8_t* rows, const float* row_scales, size_t row_count,
                   const float* start, float* out, size_t stride) const {
  thread_local std::vector<int32_t> numbers;
  numbers.resize(kLaneRows * width());
  for (size_t first = 0; first < row_count; first += kLaneRows) {
    const size_t count = std::min(kLaneRows, row_count - first);
    products(rows + first * depth_, count, numbers.data());
    for (size_t lane = 0; lane < count; lane += kLanes) {
      const size_t here = std::min(kLanes, count - lane);
      float scales[kLanes] = {};
      std::copy_n(row_scales + first + lane, here, scales);
      settle_lanes(&numbers[lane * width()], width(), scales, scales_.data(), start, count_, here,
                   out + first + lane, stride);
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

Panels::Panels(const float* vectors, size_t count, size_t dims)
    : depth_(whole_fours(dims)),
      count_(count),
      scales_((count + kPanelVectors - 1) / kPanelVectors * kPanelVectors, 0.0f),
      start_(scales_.size(), 0),
      bytes_(scales_.size() * depth_, 0) {
  std::vector<int8_t> bytes(dims);
  for (size_t v = 0; v < count; ++v) {
    scales_[v] = quantise(vectors + v * dims, dims, bytes.data());
    int8_t* panel = &bytes_[v / kPanelVectors * kPanelVectors * depth_];
    for (size_t d = 0; d < dims; ++d) {
      panel[d / 4 * 4 * kPanelVectors + v % kPanelVectors * 4 + d % 4] = bytes[d];
      start_[v] -= kRowByteZero * bytes[d];
    }
  }
}

}  // namespace corvid
