// The corners of level 64 beyond what the loops do with them (simd/loops.h).
#ifndef CORVID_CODEC_FORMAT_CORNERS_H_
#define CORVID_CODEC_FORMAT_CORNERS_H_

#include <cstddef>
#include <cstdint>

#include "simd/contract.h"

namespace corvid {

// Sweeps of the coordinate search when a row is encoded.
constexpr size_t kEncodeSweeps = 4;

// values[(4 * j + d) * stride + r] = coordinate d of the corner that row r has in block j.
void corner_values(const Corners& corners, const uint8_t* codes, size_t stride, float* values);

}  // namespace corvid

#endif  // CORVID_CODEC_FORMAT_CORNERS_H_
