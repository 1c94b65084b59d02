// The values that a longer level's bits stand for: a trellis code of one bit a coordinate.
//
// Bit i of a level, with the five before it, is a window of six bits, and every window has a value
// of its own; so a bit takes part in six values, and choosing all bits together
// (Loops::best_windows) comes nearer to a coordinate than a bit of its own could: an error of
// .295 of the variance of Gaussian numbers, where a sign leaves .363 and four bits with sixteen
// corners .345. Found by alternating between the best paths of Gaussian numbers and the means of
// what falls to a window.
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
