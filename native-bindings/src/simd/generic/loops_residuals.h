// Loops that encode residuals: the best path through a trellis, for the rows of a vector at once.
// Included by loops.h.
#ifndef CORVID_SIMD_GENERIC_LOOPS_RESIDUALS_H_
#define CORVID_SIMD_GENERIC_LOOPS_RESIDUALS_H_

#include "simd/generic/lanes.h"

namespace corvid {
namespace {

void bytes_to_lanes(const int8_t* const bytes[kLanes], const float* scales, size_t count,
                    float* out, size_t stride) {
  for (size_t c = 0; c < count; ++c) {
    float here[kLanes];
    for (size_t i = 0; i < kLanes; ++i) here[i] = (float)bytes[i][c];
    for (size_t i = 0; i < kLanes; ++i) out[c * stride + i] = scales[i] * here[i];
  }
}

void subtract_and_scale(const float* start, const float* factors, size_t count, float* y) {
  for (size_t r = 0; r < count; ++r) y[r] = (y[r] - start[r]) * factors[r];
}

void residual_targets(const float* y, const float* coded, float inverse, size_t count,
                      float* targets) {
  for (size_t r = 0; r < count; ++r) targets[r] = (y[r] - coded[r]) * inverse;
}

void add_coded_column(const uint8_t* windows, const float* values, const float* y,
                      const float* start, size_t count, float* coded, const ResidualSums& sums) {
  for (size_t r = 0; r < count; ++r) {
    const float value = values[windows[r]], before = coded[r];
    sums.y_products[r] += y[r] * value;
    sums.start_products[r] += start[r] * value;
    sums.squares[r] += value * (value + 2 * before);
    coded[r] = before + value;
  }
}

// A state is the last five bits, the oldest lowest. Window w leads from state w % 32 to state w
// / 2. So windows 2t and 2t + 1 end in state t, and states t and t + 16 have the same two
// predecessors.
constexpr size_t kHalfStates = kTrellisStates / 2;

// Larger than the cost of any path.
constexpr float kNoPath = 1e30f;

struct Branches {
  float values[kTrellisWindows];   // times the unit
  float squares[kTrellisWindows];  // times the weight of the coordinate
};

// The cheaper of two ways into state t, and in `decisions` the window of it.
CORVID_INLINE FloatVector cheaper(size_t t, const FloatVector& even, const FloatVector& odd,
                                  const FloatVector& slope, const Branches& branches,
                                  IntVector* decisions) {
  const FloatVector a = even + (slope * branches.values[2 * t] + branches.squares[2 * t]);
  const FloatVector b = odd + (slope * branches.values[2 * t + 1] + branches.squares[2 * t + 1]);
  const IntVector second = b < a;
  *decisions |= second & (int32_t)((uint32_t)1 << t);
  return second ? b : a;
}

// One coordinate of the rows of a vector: costs of all states from those before; bit t of a lane's
// decisions says which window led to state t. As (y − v)² = y² − 2yv + v², the first term may be
// left out.
void step(const float* targets, float weight, Branches* branches, const FloatVector* before,
          FloatVector* after, int32_t* decisions) {
  const FloatVector slope = load(targets) * (-2 * weight);
  for (size_t w = 0; w < kTrellisWindows; ++w) {
    branches->squares[w] = weight * (branches->values[w] * branches->values[w]);
  }
  IntVector chosen{};
  for (size_t t = 0; t < kHalfStates; ++t) {
    const FloatVector even = before[2 * t], odd = before[2 * t + 1];
    after[t] = cheaper(t, even, odd, slope, *branches, &chosen);
    after[t + kHalfStates] = cheaper(t + kHalfStates, even, odd, slope, *branches, &chosen);
  }
  store(chosen, decisions);
}

// Follows the decisions back from the cheapest last state.
void trace(const FloatVector* costs, const int32_t* decisions, size_t count, size_t stride,
           uint8_t* windows) {
  FloatVector least = costs[0];
  IntVector state{};
  for (size_t t = 1; t < kTrellisStates; ++t) {
    const IntVector better = costs[t] < least;
    least = better ? costs[t] : least;
    state = better ? IntVector{} + (int32_t)t : state;
  }
  for (size_t i = count; i-- > 0;) {
    const IntVector chosen = load(decisions + i * kWidth);
    const IntVector window = state + state + (chosen >> state & 1);
    store_bytes(window, windows + i * stride);
    state = window & (int32_t)(kTrellisStates - 1);
  }
}

void best_windows(const float* targets, const float* weights, size_t count, size_t stride,
                  uint8_t* windows, int32_t* scratch) {
  Branches branches;
  for (size_t w = 0; w < kTrellisWindows; ++w) {
    branches.values[w] = kTrellisUnit * (float)kTrellisValues[w];
  }
  for (size_t lane = 0; lane < stride; lane += kWidth) {
    FloatVector costs[2][kTrellisStates];
    for (size_t t = 0; t < kTrellisStates; ++t) costs[0][t] = FloatVector{} + kNoPath;
    costs[0][0] = FloatVector{};  // the bits before the first are 0
    for (size_t i = 0; i < count; ++i) {
      step(targets + i * stride + lane, weights[i], &branches, costs[i % 2], costs[1 - i % 2],
           scratch + i * kWidth);
    }
    trace(costs[count % 2], scratch, count, stride, windows + lane);
  }
}

}  // namespace
}  // namespace corvid

#endif  // CORVID_SIMD_GENERIC_LOOPS_RESIDUALS_H_
