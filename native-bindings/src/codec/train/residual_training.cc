#include "codec/train/residual_training.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "codec/format/panels.h"
#include "codec/train/pooled_statistics.h"
#include "linalg/eigen.h"
#include "linalg/matrix.h"
#include "simd/contract.h"
#include "simd/trellis_values.h"

namespace corvid {
namespace {

// Weight of the pooled covariance, in rows, as in codec/train/level.cc.
constexpr float kShrinkRows = 4000;
// Variances below this share of the mean variance count as this.
constexpr double kLeastShare = 1e-6;
constexpr size_t kChunkRows = 1024;

// Fills y and start of `rows`, by the basis as stored.
void project(const ResidualGroupRows& group, const ResidualModel& model, ResidualRows& rows) {
  const size_t dims = group.dims, columns = model.columns, stride = rows.stride;
  const std::vector<float> directions = PanelSpan(model.basis, columns, dims).read_all(dims);
  std::fill(rows.y.begin(), rows.y.end(), 0.0f);
  std::fill(rows.start.begin(), rows.start.end(), 0.0f);
  kernels().gemm_nt(columns, group.rows, dims, directions.data(), dims, group.directions, dims,
                    rows.y.data(), stride, false);
  std::vector<float> decoded(kChunkRows * dims);
  for (size_t first = 0; first < group.rows; first += kChunkRows) {
    const size_t count = std::min(kChunkRows, group.rows - first);
    for (size_t r = 0; r < count; ++r) {
      const float* x = group.embeddings[first + r];
      const float* direction = group.directions + (first + r) * dims;
      const float gain = group.starts[first + r].gain;
      for (size_t d = 0; d < dims; ++d) decoded[r * dims + d] = x[d] - gain * direction[d];
    }
    kernels().gemm_nt(columns, count, dims, directions.data(), dims, decoded.data(), dims,
                      &rows.start[first], stride, false);
  }
}

// Mean square of y − a per column.
std::vector<double> errors_of(const ResidualRows& rows, size_t columns, size_t count) {
  std::vector<double> errors(columns, 0);
  for (size_t c = 0; c < columns; ++c) {
    for (size_t r = 0; r < count; ++r) {
      const double error = rows.y[c * rows.stride + r] - rows.coded[c * rows.stride + r];
      errors[c] += error * error;
    }
    errors[c] /= static_cast<double>(std::max<size_t>(count, 1));
  }
  return errors;
}

// Chooses the columns in which an error costs most, in ascending order of cost. An error is
// weighted by the spread of its column, because neighbours differ more where rows differ more. The
// costliest come last because the end of a trellis path is the least constrained.
void choose_coordinates(std::vector<double> errors, const std::vector<double>& variances,
                        size_t bits, CodedCoordinate* coordinates) {
  const double mean =
      std::accumulate(variances.begin(), variances.end(), 0.0) / static_cast<double>(errors.size());
  const double least = mean > 0 ? kLeastShare * mean : 1.0 / static_cast<double>(errors.size());
  std::vector<double> costs(errors.size());
  for (size_t c = 0; c < costs.size(); ++c) {
    errors[c] = std::max(errors[c], least);
    costs[c] = errors[c] * std::sqrt(std::max(variances[c], least));
  }
  std::vector<uint32_t> order(costs.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return costs[a] > costs[b]; });
  // Only ratios of weights matter; dividing by the largest keeps them within the range of a float.
  const double largest = costs[order[0]];
  for (size_t i = 0; i < bits; ++i) {
    const uint32_t column = order[bits - 1 - i];
    coordinates[i] = {column, static_cast<float>(std::sqrt(errors[column])),
                      static_cast<float>(costs[column] / largest), 0};
  }
}

// Sums over rows of (y − a)·value and value², for coordinate i of the last choose_windows.
struct Fit {
  double product = 0;
  double square = 0;
};
Fit fit_of(const ResidualRows& rows, size_t count, size_t i, size_t column) {
  Fit fit;
  for (size_t r = 0; r < count; ++r) {
    const size_t at = column * rows.stride + r;
    const double value =
        kTrellisUnit * static_cast<float>(kTrellisValues[rows.windows[i * rows.stride + r]]);
    fit.product += value * (rows.y[at] - rows.coded[at]);
    fit.square += value * value;
  }
  return fit;
}
float step_of(const Fit& fit, float deviation) {
  return fit.square > 0 ? static_cast<float>(fit.product / fit.square) : deviation;
}

void write_decoded(const ResidualGroupRows& group, const float* gains, const ResidualRows& rows,
                   Decoded* decoded) {
  for (size_t r = 0; r < group.rows; ++r) {
    const ResidualStart& start = group.starts[r];
    decoded[r] = decoded_of(start, gains[nearest_gain(gains, start.gain)], rows, r);
  }
}

}  // namespace

size_t basis_columns(bool trained, size_t dims, size_t bits) {
  if (bits <= kLevel64Directions) return 0;
  return trained ? std::min(dims, bits * 5 / 8) : bits - kLevel64Directions;
}

void train_residual(const ResidualGroupRows& group, const PooledStatistics& pooled,
                    const float* gains, const Progress& progress, const ResidualModel& model,
                    Decoded* const* decoded) {
  progress.check();
  const size_t dims = group.dims, columns = model.columns;
  const std::vector<float> covariance =
      shrunk_covariance(group.directions, group.rows, pooled, kShrinkRows);
  const std::vector<float> directions = symmetric_eigen(covariance.data(), dims).vectors;
  write_panels(directions.data(), columns, dims, model.basis);
  progress.check();

  ResidualRows rows;
  rows.reset(columns, round_up_to_lanes(group.rows));
  project(group, model, rows);
  const std::vector<double> variances = errors_of(rows, columns, group.rows);
  for (size_t level = 1; level < kLevelCount && model.bits[level] > 0; ++level) {
    progress.check();
    CodedCoordinate* coordinates = model.coordinates[level];
    choose_coordinates(errors_of(rows, columns, group.rows), variances, model.bits[level],
                       coordinates);
    choose_windows(coordinates, model.bits[level], rows);
    for (size_t i = 0; i < model.bits[level]; ++i) {
      const Fit fit = fit_of(rows, group.rows, i, coordinates[i].column);
      coordinates[i].step = step_of(fit, coordinates[i].deviation);
    }
    add_level(coordinates, model.bits[level], rows);
    write_decoded(group, gains, rows, decoded[level]);
  }
}

void set_plain_residual(const ResidualGroupRows& group, const float* gains,
                        const ResidualModel& model, Decoded* const* decoded) {
  ResidualRows rows;
  rows.reset(model.columns, round_up_to_lanes(group.rows));
  project(group, model, rows);
  const std::vector<double> variances = errors_of(rows, model.columns, group.rows);
  double variance =
      std::accumulate(variances.begin(), variances.end(), 0.0) / static_cast<double>(model.columns);
  if (variance <= 0) variance = 1 / static_cast<double>(group.dims);
  uint32_t column = 0;
  for (size_t level = 1; level < kLevelCount && model.bits[level] > 0; ++level) {
    CodedCoordinate* coordinates = model.coordinates[level];
    const auto deviation = static_cast<float>(std::sqrt(variance));
    for (size_t i = 0; i < model.bits[level]; ++i) coordinates[i] = {column++, deviation, 1, 0};
    choose_windows(coordinates, model.bits[level], rows);
    Fit all;
    for (size_t i = 0; i < model.bits[level]; ++i) {
      const Fit fit = fit_of(rows, group.rows, i, coordinates[i].column);
      all.product += fit.product;
      all.square += fit.square;
    }
    for (size_t i = 0; i < model.bits[level]; ++i) coordinates[i].step = step_of(all, deviation);
    add_level(coordinates, model.bits[level], rows);
    write_decoded(group, gains, rows, decoded[level]);
  }
}

}  // namespace corvid
