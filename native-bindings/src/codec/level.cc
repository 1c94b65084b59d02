#include "codec/level.h"

#include <algorithm>
#include <cmath>

#include "codec/eigen.h"
#include "codec/layout.h"
#include "codec/matrix.h"
#include "codec/wide.h"
#include "kernels.h"

namespace corvid {
namespace {

// A group of n rows trusts its own covariance by n / (n + kShrinkRows · bits / 64).
constexpr float kShrinkRows = 600;
// A corner is the mean of its rows and of so many more at its first place.
constexpr float kCornerPullRows = 30;
// Eigenvalues below this share of the largest count as this.
constexpr float kLeastVariance = 1e-9f;

// Symmetric and orthogonal: turns four directions so that their variances become even.
constexpr float kHadamard[kBlockDirections][kBlockDirections] = {
    {.5f, .5f, .5f, .5f}, {.5f, -.5f, .5f, -.5f}, {.5f, .5f, -.5f, -.5f}, {.5f, -.5f, -.5f, .5f}};

size_t block_count(size_t bits) { return bits / kBlockDirections; }
float row_scale(const GroupRows& group, size_t row) {
  return group.scales[group.lists[row] - group.first_list];
}

std::vector<float> shrunk_covariance(const GroupRows& group, const Everyone& everyone,
                                     size_t bits) {
  std::vector<float> covariance(group.dims * group.dims, 0.0f);
  add_outer_products(group.residuals, group.rows, group.dims, covariance.data());
  const float rows = static_cast<float>(group.rows);
  const float lean = rows / (rows + kShrinkRows * static_cast<float>(bits) / 64);
  const float own_weight = group.rows == 0 ? 0.0f : lean / rows;
  for (size_t i = 0; i < covariance.size(); ++i) {
    covariance[i] = own_weight * covariance[i] + (1 - lean) * everyone.covariance[i];
  }
  return covariance;
}

// Eigenvalue allocation (optimised product quantisation, CVPR 2013, 3.2): each direction, largest
// variance first, goes to the block whose product of variances is least so far. Returns for every
// place in the blocks the number of its direction.
std::vector<size_t> allocate_directions(const std::vector<float>& variances, size_t bits) {
  std::vector<std::vector<size_t>> blocks(block_count(bits));
  std::vector<float> sizes(blocks.size(), 0.0f);
  const float least = std::max(variances[bits - 1], kLeastVariance);
  for (size_t direction = 0; direction < bits; ++direction) {
    size_t target = blocks.size();
    for (size_t b = 0; b < blocks.size(); ++b) {
      const bool open = blocks[b].size() < kBlockDirections;
      if (open && (target == blocks.size() || sizes[b] < sizes[target])) target = b;
    }
    blocks[target].push_back(direction);
    // The constant spreads directions of equal variance over the blocks.
    sizes[target] += std::log(std::max(variances[direction], kLeastVariance) / least) + .01f;
  }
  std::vector<size_t> places;
  for (const auto& block : blocks) places.insert(places.end(), block.begin(), block.end());
  return places;
}

// Directions as rows, bits x dims, turned within their blocks.
std::vector<float> turned_directions(const Eigen& eigen, size_t bits, size_t dims) {
  const std::vector<size_t> places = allocate_directions(eigen.values, bits);
  std::vector<float> rows(bits * dims, 0.0f);
  for (size_t b = 0; b < bits; b += kBlockDirections) {
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

// Stores directions (bits x dims) as halves, dims x bits, and gives them back as they are stored.
void store_directions(std::vector<float>& rows, size_t bits, size_t dims, uint16_t* directions) {
  std::vector<float> columns(dims * bits);
  transpose(rows.data(), bits, dims, dims, columns.data(), bits);
  kernels().float_to_half(columns.data(), directions, columns.size());
  kernels().half_to_float(directions, columns.data(), columns.size());
  transpose(columns.data(), dims, bits, bits, rows.data(), dims);
}

// Rows of a group projected, direction by direction: bits x stride, lanes past the rows zero.
std::vector<float> project(const std::vector<float>& directions, const float* x, size_t rows,
                           size_t bits, size_t dims, size_t stride) {
  std::vector<float> z(bits * stride, 0.0f);
  kernels().gemm_nt(bits, rows, dims, directions.data(), dims, x, dims, z.data(), stride, false);
  return z;
}

double sum_of_sizes(const float* values, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += std::fabs(values[i]);
  return sum;
}

void set_norms(size_t blocks, const LevelModel& model) {
  for (size_t i = 0; i < blocks * kCorners; ++i) {
    float sum = 0;
    for (size_t d = 0; d < kBlockDirections; ++d) {
      const float value = model.corners[d * blocks * kCorners + i];
      sum += value * value;
    }
    model.corner_norms[i] = sum;
  }
}

// Corner v of a block starts at (±λ, ±λ, ±λ, ±λ): bit d of v is the side of direction d.
void start_corners(const std::vector<float>& spreads, const LevelModel& model) {
  const size_t blocks = block_count(spreads.size());
  for (size_t d = 0; d < kBlockDirections; ++d) {
    for (size_t i = 0; i < blocks * kCorners; ++i) {
      const float spread = spreads[i / kCorners * kBlockDirections + d];
      model.corners[d * blocks * kCorners + i] = (i % kCorners) >> d & 1 ? spread : -spread;
    }
  }
  set_norms(blocks, model);
}

// Moves every corner to the mean of the rows that chose it, weighted by the scales of their lists.
void move_corners(const GroupRows& group, const std::vector<float>& z, size_t stride,
                  const std::vector<uint8_t>& codes, size_t blocks, const LevelModel& model) {
  std::vector<float> weights(group.rows);
  for (size_t r = 0; r < group.rows; ++r) weights[r] = row_scale(group, r);
  for (size_t j = 0; j < blocks; ++j) {
    const uint8_t* own = &codes[j * stride];
    double counts[kCorners] = {};
    for (size_t r = 0; r < group.rows; ++r) counts[own[r]] += weights[r];
    for (size_t d = 0; d < kBlockDirections; ++d) {
      double sums[kCorners] = {};
      const float* values = &z[(j * kBlockDirections + d) * stride];
      for (size_t r = 0; r < group.rows; ++r) sums[own[r]] += weights[r] * values[r];
      float* corners = model.corners + (d * blocks + j) * kCorners;
      for (size_t v = 0; v < kCorners; ++v) {
        corners[v] = static_cast<float>((sums[v] + kCornerPullRows * corners[v]) /
                                        (counts[v] + kCornerPullRows));
      }
    }
  }
  set_norms(blocks, model);
}

// The projections that a search for the largest cosine needs, for the rows of one group. All
// lengths are divided by the scale s of the row's list: then a/√n stays, and corners need no scale.
struct CosineData {
  std::vector<float> x, base, products, base_norms;

  void improve(const Corners& corners, size_t sweeps, std::vector<uint8_t>& codes) const {
    std::vector<float> a = products, n = base_norms;
    improve_cosine(corners, {x.data(), base.data(), a.data(), n.data()}, n.size(), sweeps,
                   codes.data());
  }
};

CosineData cosine_data(const GroupRows& group, const std::vector<float>& directions, size_t bits,
                       size_t stride, const std::vector<float>& z) {
  const size_t lists = group.list_count, dims = group.dims;
  const std::vector<float> centers = project(directions, group.centers, lists, bits, dims, lists);
  CosineData data{z, std::vector<float>(bits * stride, 0.0f), std::vector<float>(stride, 0.0f),
                  std::vector<float>(stride, 1.0f)};
  for (size_t b = 0; b < bits; ++b) {
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

// residuals −= what the codes decode to.
void take_off(const GroupRows& group, const Corners& corners, const std::vector<uint8_t>& codes,
              size_t stride, const std::vector<float>& directions, size_t bits) {
  std::vector<float> values(bits * stride);
  corner_values(corners, codes.data(), stride, values.data());
  for (float& value : values) value = -value;
  std::vector<float> columns(group.dims * bits), rows(group.rows * bits);
  transpose(directions.data(), bits, group.dims, group.dims, columns.data(), bits);
  transpose(values.data(), bits, group.rows, stride, rows.data(), bits);
  kernels().gemm_nt(group.rows, group.dims, bits, rows.data(), bits, columns.data(), bits,
                    group.residuals, group.dims, true);
}

}  // namespace

void train_level(const GroupRows& group, const Everyone& everyone, size_t bits, bool cosine,
                 const Progress& progress, const LevelModel& model) {
  const size_t dims = group.dims, blocks = block_count(bits), stride = whole_lanes(group.rows);
  progress.check();
  const Eigen eigen = symmetric_eigen(shrunk_covariance(group, everyone, bits).data(), dims);
  std::vector<float> directions = turned_directions(eigen, bits, dims);
  store_directions(directions, bits, dims, model.directions);
  progress.check();

  const std::vector<float> z = project(directions, group.residuals, group.rows, bits, dims, stride);
  const std::vector<float> others = project(directions, everyone.sample.data(),
                                            everyone.sample_rows, bits, dims, everyone.sample_rows);
  std::vector<float> spreads(bits);
  for (size_t b = 0; b < bits; ++b) {
    const double sum = sum_of_sizes(&z[b * stride], group.rows) +
                       sum_of_sizes(&others[b * everyone.sample_rows], everyone.sample_rows);
    spreads[b] = static_cast<float>(sum / (group.rows + everyone.sample_rows));
  }
  start_corners(spreads, model);
  if (group.rows == 0) return;

  const Corners corners{blocks, model.corners, model.corner_norms};
  CosineData data;
  if (cosine) data = cosine_data(group, directions, bits, stride, z);
  std::vector<uint8_t> codes(blocks * stride);
  nearest_corners(corners, z.data(), stride, codes.data());
  for (size_t round = 0; round < kTrainingRounds; ++round) {
    progress.check();
    if (cosine) {
      data.improve(corners, 2, codes);
    } else if (round > 0) {
      nearest_corners(corners, z.data(), stride, codes.data());
    }
    move_corners(group, z, stride, codes, blocks, model);
  }
  nearest_corners(corners, z.data(), stride, codes.data());
  if (cosine) data.improve(corners, kEncodeSweeps, codes);
  take_off(group, corners, codes, stride, directions, bits);
}

void set_plain_corners(const GroupRows& group, size_t bits, const LevelModel& model) {
  const size_t dims = group.dims;
  std::vector<float> columns(dims * bits), directions(bits * dims);
  kernels().half_to_float(model.directions, columns.data(), columns.size());
  transpose(columns.data(), dims, bits, bits, directions.data(), dims);
  const size_t stride = whole_lanes(group.rows);
  const std::vector<float> z = project(directions, group.residuals, group.rows, bits, dims, stride);
  const double mean = sum_of_sizes(z.data(), z.size()) /
                      static_cast<double>(std::max<size_t>(group.rows, 1) * bits);
  start_corners(std::vector<float>(bits, static_cast<float>(mean)), model);
  std::vector<uint8_t> codes(block_count(bits) * stride);
  const Corners corners{block_count(bits), model.corners, model.corner_norms};
  nearest_corners(corners, z.data(), stride, codes.data());
  take_off(group, corners, codes, stride, directions, bits);
}

}  // namespace corvid
