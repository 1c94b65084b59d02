// Choosing the bits of a longer level: the best path through a trellis, for many rows at once.
//
// Projections lie coordinate by coordinate, as in codec/format/corners.h: coordinate i of row r is
// y[i * stride + r], `stride` a multiple of kLanes, and all lanes must hold numbers.
#ifndef CORVID_CODEC_ENCODE_TRELLIS_H_
#define CORVID_CODEC_ENCODE_TRELLIS_H_

#include <cstddef>
#include <cstdint>

#include "base/aligned.h"
#include "simd/trellis_values.h"

namespace corvid {

// The bits of one level for all lanes of `targets` (count x stride): those that minimise
// Σ_i weights[i] · (targets[i] − kTrellisUnit · kTrellisValues[window i])² (Viterbi 1967), with the
// window of a coordinate as simd/contract.h, trellis_dot, has it. windows[i * stride + r] is the
// window of row r, its bit i the highest bit of it. `scratch` may be reused from call to call.
void best_windows(const float* targets, const float* weights, size_t count, size_t stride,
                  uint8_t* windows, AlignedVector<int32_t>& scratch);

// Code bytes of all lanes from their windows: bytes[b * stride + r] is byte b of row r.
void pack_windows(const uint8_t* windows, size_t count, size_t stride, uint8_t* bytes);

}  // namespace corvid

#endif  // CORVID_CODEC_ENCODE_TRELLIS_H_
