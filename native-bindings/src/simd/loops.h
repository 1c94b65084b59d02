// The contract of the loops: kernels that a compiler vectorises as well as hand-written intrinsics.
//
// They are written once (simd/generic/loops.h) and compiled for every instruction set;
// Kernels::loops points to those of the chosen level. As in simd/contract.h, each gives the same
// bits on every level, because the order of operations is fixed and multiplies and adds are
// separate.
//
// Many work on "lanes": rows side by side, with element i of row r at x[i * stride + r]. The stride
// is the number of rows rounded up to a multiple of kLanes, and all lanes must be initialised.
#ifndef CORVID_SIMD_LOOPS_H_
#define CORVID_SIMD_LOOPS_H_

#include <cstddef>
#include <cstdint>

namespace corvid {

constexpr size_t kTables = 16;             // blocks, or nibbles, of a 64-bit code
constexpr size_t kTableEntries = 16;       // corners of a block
constexpr size_t kBlockDirections = 4;     // directions of a block
constexpr size_t kLevel64Directions = 64;  // kTables * kBlockDirections
constexpr size_t kLanes = 16;
constexpr int kCoarseUnit = 128;  // weight of the coarse part of a fourteen-bit integer

constexpr size_t round_up_to_lanes(size_t rows) { return (rows + kLanes - 1) / kLanes * kLanes; }

// The smallest and the largest of an array.
struct Extremes {
  float least;
  float largest;
};

// A view of the corners of level 64 in one group: 4 coordinates x 16 blocks x 16 corners, and their
// squared norms, 16 x 16.
struct Corners {
  const float* coordinates;
  const float* squared_norms;

  const float* coordinate(size_t d, size_t block) const {
    return coordinates + (d * kTables + block) * kTableEntries;
  }
};

// The inputs and outputs of improve_cosine; projections are 64 x stride.
struct CosineSearch {
  const float* x;     // projections of x
  const float* base;  // projections of the base
  float* products;    // stride: in ⟨x, base⟩, out ⟨x, x̂⟩
  float* norms;       // stride: in ‖base‖², out ‖x̂‖²
};

// Bounds on the table entries of one group.
struct TableBounds {
  float reach[kLevel64Directions];  // largest |coordinate| in each direction
  float largest_norm[kTables];      // of ‖corner‖²
  float smallest_norm[kTables];
};

// Bases of kLanes trials: scales[i] * projections[i], 64 components each.
struct TrialBases {
  const int8_t* projections[kLanes];
  float scales[kLanes];
};

// The output of trial_lanes, 64 x stride each.
struct TrialLanes {
  float* x;
  float* base;
  float* z;
};

// Sums over the residual levels, per row (codec/encode/residual.h).
struct ResidualSums {
  float* y_products;
  float* start_products;
  float* squares;
};

// The first part of a row, and the row's weight.
struct WeightedRow {
  const float* row;
  float weight;
};

// Rows of add_weighted_rows are split into parts of kPartNumbers floats; successive parts of a row
// lie `part_stride` floats apart.
constexpr size_t kPartNumbers = 128;

struct Loops {
  // Vectors.

  // Σ x² in double: element d goes to partial d % 16; partials are added in ascending order.
  double (*squared_norm)(const float* x, size_t dims);
  // x[d] = x[d] * factor, multiplied in double.
  void (*scale)(float* x, size_t dims, double factor);
  // The largest |x|; 0 if dims is 0.
  float (*largest_size)(const float* x, size_t dims);
  // Smallest and largest of `count` >= 1 floats, none of them NaN.
  Extremes (*extremes)(const float* x, size_t count);
  // Whether no element is NaN or infinite.
  bool (*all_finite)(const float* x, size_t count);
  // maxima[c] = the largest of x[c], x[c + columns], …; count >= columns.
  void (*column_maxima)(const float* x, size_t count, size_t columns, float* maxima);
  // The `rank`-th largest distinct value of kLanes floats, rank >= 1; −∞ if there are fewer.
  float (*ranked)(const float* x, size_t rank);

  // Linear algebra.

  // Σ a·b in double: element i goes to partial i % 8; those after the last whole eight go to the
  // sum itself, to which the partials are then added in ascending order.
  double (*dot_f64)(const double* a, const double* b, size_t count);
  // y += s * x
  void (*add_scaled_f64)(double* y, double s, const double* x, size_t count);
  // y += s * x + t * z
  void (*add_two_scaled_f64)(double* y, double s, const double* x, double t, const double* z,
                             size_t count);
  // a, b = cosine * a − sine * b, sine * a + cosine * b
  void (*rotate)(float* a, float* b, float cosine, float sine, size_t count);
  // For each of `sums` consecutive runs of `count` rows: out = start + Σ weight · row, in the given
  // order. `start` and each sum have `dims` floats, a multiple of kPartNumbers. Computed part by
  // part.
  void (*add_weighted_rows)(const float* start, const WeightedRow* rows, size_t count,
                            size_t part_stride, size_t sums, size_t dims, float* out);

  // Floats and bytes.

  // out[d] = x[d] * inverse + offset, truncated; it must lie within 0 .. 255.
  void (*floats_to_bytes)(const float* x, size_t dims, float inverse, float offset, uint8_t* out);
  // out[i] = scale * bytes[i]
  void (*bytes_to_floats)(const int8_t* bytes, float scale, size_t count, float* out);
  // kCoarseUnit * coarse + fine = x * inverse, rounded; |x * inverse| must be less than
  // 63.5 * kCoarseUnit.
  void (*split_coarse_fine)(const float* x, size_t dims, float inverse, int8_t* coarse,
                            int8_t* fine);

  // Integer products to floats.

  // out[i] = scale * scales[i] * products[i]
  void (*scale_products)(const int32_t* products, const float* scales, float scale, size_t count,
                         float* out);
  // out[i] = scale * scales[i] * (kCoarseUnit * coarse[i] + fine[i]), all in float
  void (*join_products)(const int32_t* coarse, const int32_t* fine, const float* scales,
                        float scale, size_t count, float* out);
  // scores[i] = scale * scales[i] * products[i] − half_norms[i], `width` of them, a multiple of
  // kLanes; largest[i] = the maximum of scores i, i + kLanes, …
  void (*score_products)(const int32_t* products, float scale, const float* scales,
                         const float* half_norms, size_t width, float* scores, float* largest);
  // Transposes the products of at most kLanes rows (row stride `width`) to lanes:
  // out[v * stride + i] = start[v] + products[i * width + v] * (row_scales[i] * scales[v]); if
  // `start` is null, the scaled product is added to `out`. Reads kLanes rows of products and
  // row_scales; writes only `rows` lanes of each v.
  void (*products_to_lanes)(const int32_t* products, size_t width, const float* row_scales,
                            const float* scales, const float* start, size_t vectors, size_t rows,
                            float* out, size_t stride);

  // Encoding at level 64. Coordinate d of block j of row r is z[(4 * j + d) * stride + r], its
  // nibble codes[j * stride + r].

  // Writes x = projected / s, the base, and z = x − base of kLanes trials in all 64 directions:
  // x = projected[b * columns + places[i]] * inverses[i].
  void (*trial_lanes)(const float* projected, size_t columns, const uint32_t* places,
                      const float* inverses, const TrialBases& bases, const TrialLanes& out,
                      size_t stride);
  // codes: for every block the nearest corner, that of largest ⟨z, corner⟩ − ‖corner‖² / 2; a tie
  // goes to the lower one.
  void (*nearest_corners)(const Corners& corners, const float* z, size_t stride, uint8_t* codes);
  // Improves `codes` towards the largest cos(x, x̂), x̂ = base + Σ corners, by `sweeps` rounds of
  // coordinate search over the blocks; stops early where a round changes none of kLanes rows.
  void (*improve_cosine)(const Corners& corners, const CosineSearch& search, size_t stride,
                         size_t sweeps, uint8_t* codes);

  // Encoding of residuals.

  // out[c * stride + i] = scales[i] * bytes[i][c] for kLanes rows.
  void (*bytes_to_lanes)(const int8_t* const bytes[kLanes], const float* scales, size_t count,
                         float* out, size_t stride);
  // y[r] = (y[r] − start[r]) * factors[r]
  void (*subtract_and_scale)(const float* start, const float* factors, size_t count, float* y);
  // targets[r] = (y[r] − coded[r]) * inverse
  void (*residual_targets)(const float* y, const float* coded, float inverse, size_t count,
                           float* targets);
  // The windows of one level for all lanes of `targets` (count x stride): those that minimise
  // Σ_i weights[i] · (targets[i] − kTrellisUnit · kTrellisValues[window i])² (Viterbi 1967), with
  // windows as in trellis_dot; a tie goes to the lower window. windows[i * stride + r] is window i
  // of row r. `scratch` has count x kLanes elements.
  void (*best_windows)(const float* targets, const float* weights, size_t count, size_t stride,
                       uint8_t* windows, int32_t* scratch);
  // Adds values[windows[r]] to coded[r], and its products to `sums`; `values` has kTrellisWindows
  // elements.
  void (*add_coded_column)(const uint8_t* windows, const float* values, const float* y,
                           const float* start, size_t count, float* coded,
                           const ResidualSums& sums);

  // Tables of a query.

  // out[i] = scale · (q[i] − center_weight · projection[i]), in all 64 directions
  void (*weigh_directions)(const float* q, const int8_t* projection, float scale,
                           float center_weight, float* out);
  // lows[j]: a lower bound on the table entries of block j. Returns the widest range of any table:
  // |⟨w, corner⟩| <= Σ |w_d| · reach_d, and the norms lie between their extremes.
  float (*bound_tables)(const TableBounds& bounds, const float* w, float half_weight, float* lows);
  // bytes[16 j + v] = (⟨w_j, corner_jv⟩ − half_weight · ‖corner_jv‖² − lows[j]) · inverse, rounded
  void (*fill_byte_tables)(const Corners& corners, const float* w, float half_weight,
                           const float* lows, float inverse, uint8_t* bytes);
  // out[16 j + v] = ⟨w_j, corner_jv⟩
  void (*fill_products)(const Corners& corners, const float* w, float* out);
  // out[16 j + v] = scale · (scale · ‖corner_jv‖² + twice · ⟨projection_j, corner_jv⟩): what a
  // corner adds to ‖x̂‖² in a list.
  void (*fill_norms)(const Corners& corners, const int8_t* projection, float scale, float twice,
                     float* out);
};

}  // namespace corvid

#endif  // CORVID_SIMD_LOOPS_H_
