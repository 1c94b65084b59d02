// The values that a residual level's bits stand for: a trellis code of one bit per coordinate.
//
// Bit i of a level and the five bits before it form a window, and each of the 64 windows has a
// value. So a bit takes part in six values, and choosing all bits jointly (Loops::best_windows)
// approximates the coordinates better than one independent bit each.
//
// Fitted by alternating between the best paths of Gaussian samples and the means of the samples
// assigned to each window; `npm run bench -- fit trellis` repeats that, and finds other values that
// are as good. On fresh samples these leave .2954 of the variance, refitted .2941, others .2960 or
// more; a sign bit leaves .3636. The values are part of the format and never change.
#ifndef CORVID_SIMD_TRELLIS_VALUES_H_
#define CORVID_SIMD_TRELLIS_VALUES_H_

#include <cstddef>
#include <cstdint>

namespace corvid {

constexpr size_t kTrellisWindows = 64;
constexpr size_t kTrellisStates = 32;
// Values are in 64ths of a standard deviation. The oldest bit of a window is its lowest.
constexpr float kTrellisUnit = 1.0f / 64;
alignas(64) constexpr int8_t kTrellisValues[kTrellisWindows] = {
    -47, 42,  -108, 42,  55,  -36, -31, 69,  73,  -15,  28,  -40, -3,  -54, -17, 86,
    -71, 49,  40,   -52, 51,  -20, 21,  -98, 46,  -9,   24,  123, 23,  -66, -26, 35,
    44,  -55, 105,  -31, -49, 31,  63,  -30, -20, -125, -33, 38,  83,  22,  28,  -50,
    34,  -41, -40,  45,  -33, 103, -65, 16,  -9,  -93,  -65, 5,   -83, 36,  85,  -13};

}  // namespace corvid

#endif  // CORVID_SIMD_TRELLIS_VALUES_H_
