#include "codec/train/level.h"

#include <algorithm>
#include <cmath>

#include "codec/format/layout.h"
#include "codec/format/panels.h"
#include "linalg/eigen.h"
#include "linalg/matrix.h"
#include "simd/contract.h"

namespace corvid {
namespace {

constexpr size_t kBits = kLevel64Directions;
constexpr size_t kBlocks = kBits / kBlockDirections;
// The covariance of a group of n rows has weight n / (n + kShrinkRows) against the pooled one
// (`npm run bench -- recall`).
constexpr float kShrinkRows = 600;
// A corner is the mean of its rows and of this many more at its initial position.
constexpr float kCornerPullRows = 30;
// Smaller variances count as this.
constexpr float kLeastVariance = 1e-9f;

// Symmetric and orthogonal: rotates four directions so that their variances become equal.
constexpr float kHadamard[kBlockDirections][kBlockDirections] = {
    {.5f, .5f, .5f, .5f}, {.5f, -.5f, .5f, -.5f}, {.5f, .5f, -.5f, -.5f}, {.5f, -.5f, -.5f, .5f}};

// values[(4 * j + d) * stride + r] = coordinate d of the corner that row r has in block j.
void corner_values(const Corners& corners, const uint8_t* codes, size_t stride, float* values) {
  for (size_t j = 0; j < kTables; ++j) {
    const uint8_t* block_codes = codes + j * stride;
    for (size_t d = 0; d < kBlockDirections; ++d) {
      const float* coordinates = corners.coordinate(d, j);
      float* out = values + (j * kBlockDirections + d) * stride;
      for (size_t r = 0; r < stride; ++r) out[r] = coordinates[block_codes[r]];
    }
  }
}

float row_scale(const GroupRows& group, size_t row) {
  return group.scales[group.lists[row] - group.first_list];
}

// Eigenvalue allocation (optimised product quantisation, CVPR 2013, 3.2): each direction, largest
// variance first, goes to the block whose product of variances is smallest so far. Returns the
// direction of every position, block by block.
std::vector<size_t> allocate_directions(const std::vector<float>& variances) {
  std::vector<std::vector<size_t>> blocks(kBlocks);
  std::vector<float> sizes(blocks.size(), 0.0f);
  const float least = std::max(variances[kBits - 1], kLeastVariance);
  for (size_t direction = 0; direction < kBits; ++direction) {
    size_t target = blocks.size();
    for (size_t b = 0; b < blocks.size(); ++b) {
      const bool open = blocks[b].size() < kBlockDirections;
      if (open && (target == blocks.size() || sizes[b] < sizes[target])) target = b;
    }
    blocks[target].push_back(direction);
    // The constant distributes directions of the smallest variance evenly over the blocks.
    sizes[target] += std::log(std::max(variances[direction], kLeastVariance) / least) + .01f;
  }
  std::vector<size_t> places;
  for (const auto& block : blocks) places.insert(places.end(), block.begin(), block.end());
  return places;
}

// Directions as rows, 64 x dims, rotated within their blocks.
std::vector<float> rotated_directions(const Eigen& eigen, size_t dims) {
  const std::vector<size_t> places = allocate_directions(eigen.values);
  std::vector<float> rows(kBits * dims, 0.0f);
  for (size_t b = 0; b < kBits; b += kBlockDirections) {
    for (size_t to = 0; to < kBlockDirections; ++to) {
      for (size_t from = 0; from < kBlockDirections; ++from) {
        const float* direction = &eigen.vectors[places[b + from] * dims];
        for (size_t d = 0; d < dims; ++d) {
          rows[(b + to) * dims + d] += kHadamard[from][to] * direction[d];
        }
      }
    }
  }
  return rows;
}

// Projects rows onto the directions: 64 x stride; lanes past the rows are zero.
std::vector<float> project(const std::vector<float>& directions, const float* x, size_t rows,
                           size_t dims, size_t stride) {
  std::vector<float> z(kBits * stride, 0.0f);
  kernels().gemm_nt(kBits, rows, dims, directions.data(), dims, x, dims, z.data(), stride, false);
  return z;
}

double sum_of_magnitudes(const float* values, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += std::fabs(values[i]);
  return sum;
}

void set_norms(const LevelModel& model) {
  for (size_t i = 0; i < kBlocks * kCorners; ++i) {
    float sum = 0;
    for (size_t d = 0; d < kBlockDirections; ++d) {
      const float value = model.corners[d * kBlocks * kCorners + i];
      sum += value * value;
    }
    model.corner_norms[i] = sum;
  }
}

// Corner v of a block starts at (±λ, ±λ, ±λ, ±λ), with λ per direction; bit d of v is the sign in
// direction d.
void start_corners(const std::vector<float>& spreads, const LevelModel& model) {
  for (size_t d = 0; d < kBlockDirections; ++d) {
    for (size_t i = 0; i < kBlocks * kCorners; ++i) {
      const float spread = spreads[i / kCorners * kBlockDirections + d];
      model.corners[d * kBlocks * kCorners + i] = (i % kCorners) >> d & 1 ? spread : -spread;
    }
  }
  set_norms(model);
}

// Moves every corner to the mean of the rows assigned to it, weighted by the scales of their lists.
void move_corners(const GroupRows& group, const std::vector<float>& z, size_t stride,
                  const std::vector<uint8_t>& codes, const LevelModel& model) {
  std::vector<float> weights(group.rows);
  for (size_t r = 0; r < group.rows; ++r) weights[r] = row_scale(group, r);
  for (size_t j = 0; j < kBlocks; ++j) {
    const uint8_t* block_codes = &codes[j * stride];
    double counts[kCorners] = {};
    for (size_t r = 0; r < group.rows; ++r) counts[block_codes[r]] += weights[r];
    for (size_t d = 0; d < kBlockDirections; ++d) {
      double sums[kCorners] = {};
      const float* values = &z[(j * kBlockDirections + d) * stride];
      for (size_t r = 0; r < group.rows; ++r) sums[block_codes[r]] += weights[r] * values[r];
      float* corners = model.corners + (d * kBlocks + j) * kCorners;
      for (size_t v = 0; v < kCorners; ++v) {
        corners[v] = static_cast<float>((sums[v] + kCornerPullRows * corners[v]) /
                                        (counts[v] + kCornerPullRows));
      }
    }
  }
  set_norms(model);
}

// The inputs of improve_cosine for the rows of one group. Everything is divided by the scale s of
// the row's list: a/√n is invariant to that, and corners then need no scale.
struct CosineData {
  std::vector<float> x, base, products, base_norms;

  void improve(const Corners& corners, size_t sweeps, std::vector<uint8_t>& codes) const {
    std::vector<float> a = products, n = base_norms;
    kernels().loops->improve_cosine(corners, {x.data(), base.data(), a.data(), n.data()}, n.size(),
                                    sweeps, codes.data());
  }
};

CosineData cosine_data(const GroupRows& group, const std::vector<float>& directions, size_t stride,
                       const std::vector<float>& z) {
  const size_t lists = group.list_count, dims = group.dims;
  const std::vector<float> centers = project(directions, group.centers, lists, dims, lists);
  CosineData data{z, std::vector<float>(kBits * stride, 0.0f), std::vector<float>(stride, 0.0f),
                  std::vector<float>(stride, 1.0f)};
  for (size_t b = 0; b < kBits; ++b) {
    float* base = &data.base[b * stride];
    float* x = &data.x[b * stride];
    for (size_t r = 0; r < group.rows; ++r) {
      base[r] = centers[b * lists + group.lists[r] - group.first_list] / row_scale(group, r);
      x[r] += base[r];
    }
  }
  for (size_t r = 0; r < group.rows; ++r) {
    const float* center = group.centers + (group.lists[r] - group.first_list) * dims;
    const float scale = row_scale(group, r);
    data.base_norms[r] = squared_length(center, dims) / (scale * scale);
    data.products[r] =
        data.base_norms[r] + kernels().dot(group.residuals + r * dims, center, dims) / scale;
  }
  return data;
}

// residuals −= the decoded codes.
void subtract_decoded(const GroupRows& group, const Corners& corners,
                      const std::vector<uint8_t>& codes, size_t stride,
                      const std::vector<float>& directions) {
  std::vector<float> values(kBits * stride);
  corner_values(corners, codes.data(), stride, values.data());
  for (float& value : values) value = -value;
  std::vector<float> columns(group.dims * kBits), rows(group.rows * kBits);
  transpose(directions.data(), kBits, group.dims, group.dims, columns.data(), kBits);
  transpose(values.data(), kBits, group.rows, stride, rows.data(), kBits);
  kernels().gemm_nt(group.rows, group.dims, kBits, rows.data(), kBits, columns.data(), kBits,
                    group.residuals, group.dims, true);
}

}  // namespace

void train_level_64(const GroupRows& group, const PooledStatistics& pooled,
                    const Progress& progress, const LevelModel& model) {
  const size_t dims = group.dims, stride = round_up_to_lanes(group.rows);
  progress.check();
  const std::vector<float> covariance =
      shrunk_covariance(group.residuals, group.rows, pooled, kShrinkRows);
  write_panels(rotated_directions(symmetric_eigen(covariance.data(), dims), dims).data(), kBits,
               dims, model.directions);
  // Use the directions as stored, after rounding.
  const std::vector<float> directions = PanelSpan(model.directions, kBits, dims).read_all(dims);
  progress.check();

  const std::vector<float> z = project(directions, group.residuals, group.rows, dims, stride);
  const std::vector<float> pooled_z =
      project(directions, pooled.sample.data(), pooled.sample_rows, dims, pooled.sample_rows);
  std::vector<float> spreads(kBits);
  for (size_t b = 0; b < kBits; ++b) {
    const double sum = sum_of_magnitudes(&z[b * stride], group.rows) +
                       sum_of_magnitudes(&pooled_z[b * pooled.sample_rows], pooled.sample_rows);
    spreads[b] = static_cast<float>(sum / (group.rows + pooled.sample_rows));
  }
  start_corners(spreads, model);
  if (group.rows == 0) return;

  const Corners corners{model.corners, model.corner_norms};
  const CosineData data = cosine_data(group, directions, stride, z);
  std::vector<uint8_t> codes(kBlocks * stride);
  kernels().loops->nearest_corners(corners, z.data(), stride, codes.data());
  for (size_t round = 0; round < kTrainingRounds; ++round) {
    progress.check();
    data.improve(corners, 2, codes);
    move_corners(group, z, stride, codes, model);
  }
  kernels().loops->nearest_corners(corners, z.data(), stride, codes.data());
  data.improve(corners, kEncodeSweeps, codes);
  subtract_decoded(group, corners, codes, stride, directions);
}

void set_plain_corners(const GroupRows& group, const LevelModel& model) {
  const size_t dims = group.dims, stride = round_up_to_lanes(group.rows);
  const std::vector<float> directions = PanelSpan(model.directions, kBits, dims).read_all(dims);
  const std::vector<float> z = project(directions, group.residuals, group.rows, dims, stride);
  const double mean = sum_of_magnitudes(z.data(), z.size()) /
                      static_cast<double>(std::max<size_t>(group.rows, 1) * kBits);
  start_corners(std::vector<float>(kBits, static_cast<float>(mean)), model);
  std::vector<uint8_t> codes(kBlocks * stride);
  const Corners corners{model.corners, model.corner_norms};
  kernels().loops->nearest_corners(corners, z.data(), stride, codes.data());
  subtract_decoded(group, corners, codes, stride, directions);
}

}  // namespace corvid
