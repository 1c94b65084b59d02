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

}  // namespace

float quantise_row(const float* x, size_t dims, uint8_t* out) {
  const float largest = largest_size(x, dims);
  const float scale = largest > 0 ? largest / kRowByteReach : 1;
  write_bytes(x, dims, 1 / scale, out);
  std::fill(out + dims, out + whole_fours(dims), static_cast<uint8_t>(kRowByteZero));
  return scale;
}

Panels::Panels(const float* vectors, size_t count, size_t dims)
    : depth_(whole_fours(dims)),
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
