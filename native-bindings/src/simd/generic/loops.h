// The loops of simd/loops.h, written once. Each level has a file that includes this and compiles it
// for that level. All of it is internal to the including file, and it uses no templates of the
// standard library: the linker could otherwise use one level's copy in code for all machines.
#ifndef CORVID_SIMD_GENERIC_LOOPS_H_
#define CORVID_SIMD_GENERIC_LOOPS_H_

#include "simd/generic/loops_corners.h"
#include "simd/generic/loops_residuals.h"
#include "simd/generic/loops_vectors.h"

namespace corvid {
namespace {

constexpr Loops kCompiledLoops = {
    squared_norm,
    scale,
    largest_size,
    extremes,
    all_finite,
    column_maxima,
    ranked,
    dot_f64,
    add_scaled_f64,
    add_two_scaled_f64,
    rotate,
    add_weighted_rows,
    floats_to_bytes,
    bytes_to_floats,
    split_coarse_fine,
    scale_products,
    join_products,
    score_products,
    products_to_lanes,
    trial_lanes,
    nearest_corners,
    improve_cosine,
    bytes_to_lanes,
    subtract_and_scale,
    residual_targets,
    best_windows,
    add_coded_column,
    weigh_directions,
    bound_tables,
    fill_byte_tables,
    fill_products,
    fill_norms,
};

}  // namespace
}  // namespace corvid

#endif  // CORVID_SIMD_GENERIC_LOOPS_H_
