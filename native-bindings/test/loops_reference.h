// Every loop of simd/loops.h as plainly as it can be said, number by number and row by row: what
// the loops of all levels are compared with.
#ifndef CORVID_TEST_LOOPS_REFERENCE_H_
#define CORVID_TEST_LOOPS_REFERENCE_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "simd/contract.h"
#include "simd/trellis_values.h"

namespace corvid {
namespace reference {

inline double squared_norm(const float* x, size_t dims) {
  double partial[16] = {}, sum = 0;
  for (size_t d = 0; d < dims; ++d) partial[d % 16] += static_cast<double>(x[d]) * x[d];
  for (double part : partial) sum += part;
  return sum;
}

inline void scale(float* x, size_t dims, double factor) {
  for (size_t d = 0; d < dims; ++d) x[d] = static_cast<float>(x[d] * factor);
}

inline float largest_size(const float* x, size_t dims) {
  float largest = 0;
  for (size_t d = 0; d < dims; ++d) largest = std::max(largest, std::fabs(x[d]));
  return largest;
}

inline Extremes extremes(const float* x, size_t count) {
  return {*std::min_element(x, x + count), *std::max_element(x, x + count)};
}

inline bool all_finite(const float* x, size_t count) {
  return std::all_of(x, x + count, [](float value) { return std::isfinite(value); });
}

inline void column_maxima(const float* x, size_t count, size_t columns, float* maxima) {
  for (size_t c = 0; c < columns; ++c) {
    maxima[c] = x[c];
    for (size_t i = c; i < count; i += columns) maxima[c] = std::max(maxima[c], x[i]);
  }
}

inline float ranked(const float* x, size_t rank) {
  std::vector<float> sorted(x, x + kLanes);
  std::sort(sorted.begin(), sorted.end(), [](float a, float b) { return a > b; });
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return rank <= sorted.size() ? sorted[rank - 1] : -std::numeric_limits<float>::infinity();
}

inline double dot_f64(const double* a, const double* b, size_t count) {
  double partial[8] = {}, sum = 0;
  for (size_t i = 0; i < count / 8 * 8; ++i) partial[i % 8] += a[i] * b[i];
  for (size_t i = count / 8 * 8; i < count; ++i) sum += a[i] * b[i];
  for (double part : partial) sum += part;
  return sum;
}

inline void add_scaled_f64(double* y, double s, const double* x, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = y[i] + s * x[i];
}

inline void add_two_scaled_f64(double* y, double s, const double* x, double t, const double* z,
                               size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = y[i] + (s * x[i] + t * z[i]);
}

inline void rotate(float* a, float* b, float cosine, float sine, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const float upper = a[i];
    a[i] = cosine * upper - sine * b[i];
    b[i] = sine * upper + cosine * b[i];
  }
}

inline void add_weighted_rows(const float* start, const WeightedRow* rows, size_t count,
                              size_t apart, size_t sums, size_t dims, float* out) {
  for (size_t s = 0; s < sums; ++s) {
    for (size_t d = 0; d < dims; ++d) {
      float sum = start[d];
      for (size_t k = s * count; k < (s + 1) * count; ++k) {
        sum += rows[k].weight * rows[k].row[d / kPartNumbers * apart + d % kPartNumbers];
      }
      out[s * dims + d] = sum;
    }
  }
}

inline void floats_to_bytes(const float* x, size_t dims, float inverse, float offset,
                            uint8_t* out) {
  for (size_t d = 0; d < dims; ++d) out[d] = static_cast<uint8_t>(x[d] * inverse + offset);
}

inline void bytes_to_floats(const int8_t* bytes, float scale, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = scale * static_cast<float>(bytes[i]);
}

inline void split_coarse_fine(const float* x, size_t dims, float inverse, int8_t* coarse,
                              int8_t* fine) {
  for (size_t d = 0; d < dims; ++d) {
    constexpr float kAll = kCoarseUnit * kCoarseUnit;
    const float lifted = std::floor(x[d] * inverse + (kAll + 0.5f));
    const int integer = static_cast<int>(lifted) - kCoarseUnit * kCoarseUnit;
    const double upper = std::floor(static_cast<double>(integer) / kCoarseUnit + 0.5);
    coarse[d] = static_cast<int8_t>(upper);
    fine[d] = static_cast<int8_t>(integer - kCoarseUnit * coarse[d]);
  }
}

inline void scale_products(const int32_t* products, const float* scales, float scale, size_t count,
                           float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = scale * scales[i] * static_cast<float>(products[i]);
}

inline void join_products(const int32_t* coarse, const int32_t* fine, const float* scales,
                          float scale, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) {
    const float upper = static_cast<float>(kCoarseUnit) * static_cast<float>(coarse[i]);
    out[i] = scale * scales[i] * (upper + static_cast<float>(fine[i]));
  }
}

inline void score_products(const int32_t* products, float scale, const float* scales,
                           const float* half_norms, size_t width, float* scores, float* largest) {
  std::fill_n(largest, kLanes, -std::numeric_limits<float>::infinity());
  for (size_t i = 0; i < width; ++i) {
    scores[i] = scale * scales[i] * static_cast<float>(products[i]) - half_norms[i];
    largest[i % kLanes] = std::max(largest[i % kLanes], scores[i]);
  }
}

inline void products_to_lanes(const int32_t* products, size_t width, const float* row_scales,
                              const float* scales, const float* start, size_t vectors, size_t rows,
                              float* out, size_t stride) {
  for (size_t v = 0; v < vectors; ++v) {
    for (size_t i = 0; i < rows; ++i) {
      float& to = out[v * stride + i];
      const float from = start == nullptr ? to : start[v];
      to = from + static_cast<float>(products[i * width + v]) * (row_scales[i] * scales[v]);
    }
  }
}

inline void trial_lanes(const float* projected, size_t columns, const uint32_t* places,
                        const float* inverses, const TrialBases& bases, const TrialLanes& out,
                        size_t stride) {
  for (size_t b = 0; b < kLevel64Directions; ++b) {
    for (size_t i = 0; i < kLanes; ++i) {
      const size_t at = b * stride + i;
      out.x[at] = projected[b * columns + places[i]] * inverses[i];
      out.base[at] = static_cast<float>(bases.projections[i][b]) * bases.scales[i];
      out.z[at] = out.x[at] - out.base[at];
    }
  }
}

// ⟨z, corner⟩ of one row; coordinates of z lie `stride` apart, of the corner 16 x 16.
inline float product(const float* z, size_t stride, const Corners& corners, size_t j, size_t v) {
  float terms[kBlockDirections];
  for (size_t d = 0; d < kBlockDirections; ++d) {
    const float corner = corners.coordinates[(d * kTables + j) * kTableEntries + v];
    terms[d] = z[(j * kBlockDirections + d) * stride] * corner;
  }
  return (terms[0] + terms[1]) + (terms[2] + terms[3]);
}

inline void nearest_corners(const Corners& corners, const float* z, size_t stride, uint8_t* codes) {
  for (size_t r = 0; r < stride; ++r) {
    for (size_t j = 0; j < kTables; ++j) {
      float best = -1e30f;
      codes[j * stride + r] = 0;
      for (size_t v = 0; v < kTableEntries; ++v) {
        const float norm = corners.squared_norms[j * kTableEntries + v];
        const float score = product(z + r, stride, corners, j, v) - 0.5f * norm;
        if (score > best) codes[j * stride + r] = static_cast<uint8_t>(v);
        best = std::max(best, score);
      }
    }
  }
}

// What a corner adds to ⟨x, x̂⟩ and to ‖x̂‖² of one row.
struct Gain {
  float a, n;
};
inline Gain gain_of(const Corners& corners, const CosineSearch& search, size_t stride, size_t r,
                    size_t j, size_t v) {
  const float base = product(search.base + r, stride, corners, j, v);
  return {product(search.x + r, stride, corners, j, v),
          (base + base) + corners.squared_norms[j * kTableEntries + v]};
}

// One sweep over the blocks of one row; whether a corner changed.
inline bool sweep_row(const Corners& corners, const CosineSearch& search, size_t stride, size_t r,
                      uint8_t* codes) {
  float& a = search.products[r];
  float& n = search.norms[r];
  bool changed = false;
  for (size_t j = 0; j < kTables; ++j) {
    uint8_t& code = codes[j * stride + r];
    const Gain present = gain_of(corners, search, stride, r, j, code);
    const float a0 = a - present.a, n0 = n - present.n;
    float best_square = 0;
    uint8_t chosen = 0;
    for (size_t v = 0; v < kTableEntries; ++v) {
      const Gain gain = gain_of(corners, search, stride, r, j, v);
      const float new_a = a0 + gain.a, new_n = n0 + gain.n;
      const float square = new_a * std::fabs(new_a);
      if (v > 0 && !(square * n > best_square * new_n)) continue;
      best_square = square;
      chosen = static_cast<uint8_t>(v);
      a = new_a;
      n = new_n;
    }
    changed = changed || chosen != code;
    code = chosen;
  }
  return changed;
}

inline void improve_cosine(const Corners& corners, const CosineSearch& search, size_t stride,
                           size_t sweeps, uint8_t* codes) {
  for (size_t r = 0; r < stride; ++r) {
    for (size_t j = 0; j < kTables; ++j) {
      const Gain gain = gain_of(corners, search, stride, r, j, codes[j * stride + r]);
      search.products[r] += gain.a;
      search.norms[r] += gain.n;
    }
  }
  for (size_t lane = 0; lane < stride; lane += kLanes) {
    bool changed = true;
    for (size_t sweep = 0; changed && sweep < sweeps; ++sweep) {
      changed = false;
      for (size_t r = lane; r < lane + kLanes; ++r) {
        changed = sweep_row(corners, search, stride, r, codes) || changed;
      }
    }
  }
}

inline void bytes_to_lanes(const int8_t* const bytes[kLanes], const float* scales, size_t count,
                           float* out, size_t stride) {
  for (size_t c = 0; c < count; ++c) {
    for (size_t i = 0; i < kLanes; ++i) {
      out[c * stride + i] = scales[i] * static_cast<float>(bytes[i][c]);
    }
  }
}

inline void subtract_and_scale(const float* start, const float* factors, size_t count, float* y) {
  for (size_t r = 0; r < count; ++r) y[r] = (y[r] - start[r]) * factors[r];
}

inline void residual_targets(const float* y, const float* coded, float inverse, size_t count,
                             float* targets) {
  for (size_t r = 0; r < count; ++r) targets[r] = (y[r] - coded[r]) * inverse;
}

// Viterbi, one row after another.
inline void best_windows(const float* targets, const float* weights, size_t count, size_t stride,
                         uint8_t* windows, int32_t*) {
  for (size_t r = 0; r < stride; ++r) {
    std::vector<float> costs(kTrellisStates, 1e30f);
    costs[0] = 0;
    std::vector<uint8_t> came_by(count * kTrellisStates);
    for (size_t i = 0; i < count; ++i) {
      const float slope = targets[i * stride + r] * (-2 * weights[i]);
      std::vector<float> next(kTrellisStates, std::numeric_limits<float>::infinity());
      for (size_t w = 0; w < kTrellisWindows; ++w) {
        const float value = kTrellisUnit * static_cast<float>(kTrellisValues[w]);
        const float cost =
            costs[w % kTrellisStates] + (slope * value + weights[i] * (value * value));
        if (cost >= next[w / 2]) continue;
        next[w / 2] = cost;
        came_by[i * kTrellisStates + w / 2] = static_cast<uint8_t>(w);
      }
      costs = next;
    }
    size_t state =
        static_cast<size_t>(std::min_element(costs.begin(), costs.end()) - costs.begin());
    for (size_t i = count; i-- > 0;) {
      windows[i * stride + r] = came_by[i * kTrellisStates + state];
      state = windows[i * stride + r] % kTrellisStates;
    }
  }
}

inline void add_coded_column(const uint8_t* windows, const float* values, const float* y,
                             const float* start, size_t count, float* coded,
                             const ResidualSums& sums) {
  for (size_t r = 0; r < count; ++r) {
    const float value = values[windows[r]];
    sums.y_products[r] += y[r] * value;
    sums.start_products[r] += start[r] * value;
    sums.squares[r] += value * (value + 2 * coded[r]);
    coded[r] += value;
  }
}

inline void weigh_directions(const float* q, const int8_t* projection, float scale,
                             float center_weight, float* out) {
  for (size_t i = 0; i < kLevel64Directions; ++i) {
    out[i] = scale * (q[i] - center_weight * static_cast<float>(projection[i]));
  }
}

inline float bound_tables(const TableBounds& bounds, const float* w, float half_weight,
                          float* lows) {
  float widest = -std::numeric_limits<float>::infinity();
  for (size_t j = 0; j < kTables; ++j) {
    float sizes[kBlockDirections];
    for (size_t d = 0; d < kBlockDirections; ++d) {
      sizes[d] = std::fabs(w[4 * j + d]) * bounds.reach[4 * j + d];
    }
    const float reach = (sizes[0] + sizes[1]) + (sizes[2] + sizes[3]);
    lows[j] = -reach - half_weight * bounds.largest_norm[j];
    widest = std::max(widest, reach - half_weight * bounds.smallest_norm[j] - lows[j]);
  }
  return widest;
}

inline void fill_byte_tables(const Corners& corners, const float* w, float half_weight,
                             const float* lows, float inverse, uint8_t* bytes) {
  for (size_t j = 0; j < kTables; ++j) {
    for (size_t v = 0; v < kTableEntries; ++v) {
      float scaled[kLevel64Directions];
      for (size_t i = 0; i < kLevel64Directions; ++i) scaled[i] = w[i] * inverse;
      const float norm = corners.squared_norms[j * kTableEntries + v] * (half_weight * inverse);
      const float value = product(scaled, 1, corners, j, v) - (norm - (0.5f - lows[j] * inverse));
      bytes[j * kTableEntries + v] = static_cast<uint8_t>(value);
    }
  }
}

inline void fill_products(const Corners& corners, const float* w, float* out) {
  for (size_t i = 0; i < kTables * kTableEntries; ++i) {
    out[i] = product(w, 1, corners, i / kTableEntries, i % kTableEntries);
  }
}

inline void fill_norms(const Corners& corners, const int8_t* projection, float scale, float twice,
                       float* out) {
  for (size_t j = 0; j < kTables; ++j) {
    for (size_t v = 0; v < kTableEntries; ++v) {
      float sum = 0;
      for (size_t d = 0; d < kBlockDirections; ++d) {
        sum += corners.coordinates[(d * kTables + j) * kTableEntries + v] *
               static_cast<float>(projection[j * kBlockDirections + d]);
      }
      out[j * kTableEntries + v] =
          scale * (scale * corners.squared_norms[j * kTableEntries + v] + twice * sum);
    }
  }
}

}  // namespace reference
}  // namespace corvid

#endif  // CORVID_TEST_LOOPS_REFERENCE_H_
