// The contract of the loops: kernels that a compiler vectorises as well as a person would.
//
// They are written once (generic/loops.h) and compiled for every instruction set; Kernels::loops
// points to those of the level chosen. What contract.h says holds here too: each gives the same
// bits on every level, for orders of operations are fixed, multiplies and adds apart.
//
// Many work on "lanes": rows side by side, so that number i of row r is x[i * stride + r]. A
// stride counts rows rounded up to a multiple of kLanes, and all lanes must hold numbers.
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
constexpr int kCoarseUnit = 128;  // of the coarse part of a number in fourteen bits

constexpr size_t round_up_to_lanes(size_t rows) { return (rows + kLanes - 1) / kLanes * kLanes; }

// The least and the largest of some numbers.
struct Extremes {
  float least;
  float largest;
};

// The corners of level 64 in one group, not owned: 4 coordinates x 16 blocks x 16 corners, and
// their squared lengths, 16 x 16.
struct Corners {
  const float* coordinates;
  const float* squared_norms;

  const float* coordinate(size_t d, size_t block) const {
    return coordinates + (d * kTables + block) * kTableEntries;
  }
};

// What improve_cosine searches by; projections are 64 x stride.
struct CosineSearch {
  const float* x;     // projections of x
  const float* base;  // projections of the base
  float* products;    // stride: in ⟨x, base⟩, out ⟨x, x̂⟩
  float* norms;       // stride: in ‖base‖², out ‖x̂‖²
};

// What bounds the table entries of one group.
struct TableBounds {
  float reach[kLevel64Directions];  // largest |coordinate| in each direction
  float largest_norm[kTables];      // of ‖corner‖²
  float smallest_norm[kTables];
};

// Bases of kLanes trials: scales[i] * projections[i], 64 numbers each.
struct TrialBases {
  const int8_t* projections[kLanes];
  float scales[kLanes];
};

// Where trial_lanes writes, 64 x stride each.
struct TrialLanes {
  float* x;
  float* base;
  float* z;
};

// Sums over the levels of a residual, per row (codec/encode/residual.h).
struct ResidualSums {
  float* y_products;
  float* start_products;
  float* squares;
};

// A row of numbers, the first part of it, and its weight.
struct WeightedRow {
  const float* row;
  float weight;
};

// How the rows of add_weighted_rows lie: in parts of kPartNumbers, `apart` numbers from part to
// part.
constexpr size_t kPartNumbers = 128;

struct Loops {
  // Vectors.

  // Σ x², in double: element d goes to partial d % 16, and partials are added in ascending order.
  double (*squared_norm)(const float* x, size_t dims);
  // x[d] = x[d] * factor, multiplied in double.
  void (*scale)(float* x, size_t dims, double factor);
  // The largest |x|; 0 of none.
  float (*largest_size)(const float* x, size_t dims);
  // Of `count` numbers, at least one, none of them NaN.
  Extremes (*extremes)(const float* x, size_t count);
  // Whether none is NaN or infinite.
  bool (*all_finite)(const float* x, size_t count);
  // maxima[c] = the largest of x[c], x[c + columns], …; count >= columns.
  void (*column_maxima)(const float* x, size_t count, size_t columns, float* maxima);
  // At most the `rank`-th largest of kLanes numbers, from 1: equal ones count as one.
  float (*ranked)(const float* x, size_t rank);

  // Linear algebra.

  // Σ a·b in double: element i goes to partial i % 8, those past the last eight to the sum itself,
  // to which the partials are then added in ascending order.
  double (*dot_f64)(const double* a, const double* b, size_t count);
  // y += s * x
  void (*add_scaled_f64)(double* y, double s, const double* x, size_t count);
  // y += s * x + t * z
  void (*add_two_scaled_f64)(double* y, double s, const double* x, double t, const double* z,
                             size_t count);
  // a, b = cosine * a − sine * b, sine * a + cosine * b
  void (*rotate)(float* a, float* b, float cosine, float sine, size_t count);
  // For each of `sums` runs of `count` rows: out = start + Σ weight · row, in the order given.
  // `start` and each sum are `dims` long, a multiple of kPartNumbers. Made part by part.
  void (*add_weighted_rows)(const float* start, const WeightedRow* rows, size_t count, size_t apart,
                            size_t sums, size_t dims, float* out);

  // Numbers and bytes.

  // out[d] = x[d] * inverse + offset, cut off; it lies within 0 .. 255.
  void (*floats_to_bytes)(const float* x, size_t dims, float inverse, float offset, uint8_t* out);
  // out[i] = scale * bytes[i]
  void (*bytes_to_floats)(const int8_t* bytes, float scale, size_t count, float* out);
  // kCoarseUnit * coarse + fine = x * inverse, rounded; |x * inverse| < 63.5 * kCoarseUnit.
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
  // kLanes; largest[i] = the largest of scores i, i + kLanes, …
  void (*score_products)(const int32_t* products, float scale, const float* scales,
                         const float* half_norms, size_t width, float* scores, float* largest);
  // Of at most kLanes rows, whose products lie row by row, `width` apart:
  // out[v * stride + i] = start[v] + products[i * width + v] * (row_scales[i] * scales[v]), or,
  // where `start` is null, that added to what is there. kLanes rows of products and row_scales are
  // read; only `rows` of each v written.
  void (*products_to_lanes)(const int32_t* products, size_t width, const float* row_scales,
                            const float* scales, const float* start, size_t vectors, size_t rows,
                            float* out, size_t stride);

  // Encoding at level 64. Coordinate d of block j of row r is z[(4 * j + d) * stride + r], its
  // nibble codes[j * stride + r].

  // x = projected / s, the base, and z = x − base of kLanes trials, all 64 directions:
  // x = projected[b * columns + places[i]] * inverses[i].
  void (*trial_lanes)(const float* projected, size_t columns, const uint32_t* places,
                      const float* inverses, const TrialBases& bases, const TrialLanes& out,
                      size_t stride);
  // codes: for every block the corner of largest ⟨z, corner⟩ − ‖corner‖² / 2, which is the
  // nearest, the first of equals.
  void (*nearest_corners)(const Corners& corners, const float* z, size_t stride, uint8_t* codes);
  // Improves `codes` towards the largest cos(x, x̂), x̂ = base + Σ corners, by `sweeps` rounds of
  // coordinate search over the blocks; stops early where nothing changes in kLanes rows.
  void (*improve_cosine)(const Corners& corners, const CosineSearch& search, size_t stride,
                         size_t sweeps, uint8_t* codes);

  // Encoding of residuals.

  // out[c * stride + i] = scales[i] * bytes[i][c] of kLanes rows.
  void (*bytes_to_lanes)(const int8_t* const bytes[kLanes], const float* scales, size_t count,
                         float* out, size_t stride);
  // y[r] = (y[r] − start[r]) * factors[r]
  void (*subtract_and_scale)(const float* start, const float* factors, size_t count, float* y);
  // targets[r] = (y[r] − coded[r]) * inverse
  void (*residual_targets)(const float* y, const float* coded, float inverse, size_t count,
                           float* targets);
  // The windows of one level for all lanes of `targets` (count x stride): those that minimise
  // Σ_i weights[i] · (targets[i] − kTrellisUnit · kTrellisValues[window i])² (Viterbi 1967), with
  // the window of a coordinate as trellis_dot has it; a tie goes to the lower window.
  // windows[i * stride + r] is that of row r. `scratch` has count x kLanes places.
  void (*best_windows)(const float* targets, const float* weights, size_t count, size_t stride,
                       uint8_t* windows, int32_t* scratch);
  // Adds values[windows[r]] to coded[r] and to the products; `values` has kTrellisWindows.
  void (*add_coded_column)(const uint8_t* windows, const float* values, const float* y,
                           const float* start, size_t count, float* coded,
                           const ResidualSums& sums);

  // Tables of a query.

  // out[i] = scale · (q[i] − center_weight · projection[i]), all 64 directions
  void (*weigh_directions)(const float* q, const int8_t* projection, float scale,
                           float center_weight, float* out);
  // For every block the least that its table can hold, lows[j], and the widest range of all:
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
