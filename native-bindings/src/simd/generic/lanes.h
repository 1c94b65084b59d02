// Vectors of sixteen lanes, which the compiler maps to the registers of each level, for
// simd/generic/loops.h. They are passed only between functions that are always inlined, so no
// calling convention is involved, and the warning about it (-Wpsabi) does not apply.
#ifndef CORVID_SIMD_GENERIC_LANES_H_
#define CORVID_SIMD_GENERIC_LANES_H_

#include "simd/generic/common.h"
#include "simd/loops.h"

#pragma GCC diagnostic ignored "-Wpsabi"

namespace corvid {
namespace {

typedef float FloatLanes __attribute__((vector_size(kLanes * sizeof(float)), aligned(4)));
typedef int32_t IntLanes __attribute__((vector_size(kLanes * sizeof(int32_t)), aligned(4)));
typedef uint8_t ByteLanes __attribute__((vector_size(kLanes), aligned(1)));

CORVID_INLINE FloatLanes load_lanes(const float* from) {
  FloatLanes lanes;
  memcpy(&lanes, from, sizeof lanes);
  return lanes;
}
CORVID_INLINE IntLanes load_lanes(const int32_t* from) {
  IntLanes lanes;
  memcpy(&lanes, from, sizeof lanes);
  return lanes;
}
CORVID_INLINE void store_lanes(const FloatLanes& lanes, float* to) {
  memcpy(to, &lanes, sizeof lanes);
}
CORVID_INLINE IntLanes load_codes(const uint8_t* from) {
  ByteLanes bytes;
  memcpy(&bytes, from, sizeof bytes);
  return __builtin_convertvector(bytes, IntLanes);
}
CORVID_INLINE void store_codes(const IntLanes& lanes, uint8_t* to) {
  const ByteLanes bytes = __builtin_convertvector(lanes, ByteLanes);
  memcpy(to, &bytes, sizeof bytes);
}

}  // namespace
}  // namespace corvid

#endif  // CORVID_SIMD_GENERIC_LANES_H_
