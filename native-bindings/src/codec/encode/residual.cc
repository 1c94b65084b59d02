#include "codec/encode/residual.h"

#include <algorithm>
#include <cmath>

#include "simd/contract.h"
#include "simd/trellis_values.h"

namespace corvid {
namespace {

// Smaller cosines, which only rows unlike the training sample have, count as this.
constexpr float kLeastCosine = 0.05f;

}  // namespace

void ResidualRows::reset(size_t columns, size_t lanes) {
  stride = lanes;
  y.resize(columns * stride);
  start.resize(columns * stride);
  coded.assign(columns * stride, 0.0f);
  y_products.assign(stride, 0.0f);
  start_products.assign(stride, 0.0f);
  squares.assign(stride, 0.0f);
}

void choose_windows(const CodedCoordinate* coordinates, size_t bits, ResidualRows& rows) {
  const size_t stride = rows.stride;
  rows.targets_.resize(bits * stride);
  rows.weights_.resize(bits);
  rows.windows.resize(bits * stride);
  rows.decisions_.resize(bits * kLanes);
  const Loops& loops = *kernels().loops;
  for (size_t i = 0; i < bits; ++i) {
    const size_t column = coordinates[i].column * stride;
    loops.residual_targets(&rows.y[column], &rows.coded[column], 1 / coordinates[i].deviation,
                           stride, &rows.targets_[i * stride]);
    rows.weights_[i] = coordinates[i].weight;
  }
  loops.best_windows(rows.targets_.data(), rows.weights_.data(), bits, stride, rows.windows.data(),
                     rows.decisions_.data());
}

void add_level(const CodedCoordinate* coordinates, size_t bits, ResidualRows& rows) {
  const size_t stride = rows.stride;
  const ResidualSums sums{rows.y_products.data(), rows.start_products.data(), rows.squares.data()};
  const Loops& loops = *kernels().loops;
  for (size_t i = 0; i < bits; ++i) {
    float values[kTrellisWindows];
    for (size_t w = 0; w < kTrellisWindows; ++w) {
      values[w] = coordinates[i].step * (kTrellisUnit * static_cast<float>(kTrellisValues[w]));
    }
    const size_t column = coordinates[i].column * stride;
    loops.add_coded_column(&rows.windows[i * stride], values, &rows.y[column], &rows.start[column],
                           stride, &rows.coded[column], sums);
  }
}

Decoded decoded_of(const ResidualStart& start, float decoded_gain, const ResidualRows& rows,
                   size_t row) {
  const float along = decoded_gain * rows.start_products[row];
  const float product = start.product + along + decoded_gain * start.gain * rows.y_products[row];
  const float square = start.square + 2 * along + decoded_gain * decoded_gain * rows.squares[row];
  const float norm = std::sqrt(std::max(square, 1e-12f));
  return {norm, std::max(product / norm, kLeastCosine)};
}

float divisor_of(const Decoded& decoded, const CodecLevel& level) {
  return decoded.norm * std::pow(level.typical_cosine / decoded.cosine, level.cosine_power);
}

uint8_t nearest_gain(const float* gains, float gain) {
  const float* above = std::lower_bound(gains, gains + kGains, gain);
  if (above == gains) return 0;
  if (above == gains + kGains) return kGains - 1;
  const auto place = static_cast<uint8_t>(above - gains);
  return gain - above[-1] < above[0] - gain ? place - 1 : place;
}

}  // namespace corvid
