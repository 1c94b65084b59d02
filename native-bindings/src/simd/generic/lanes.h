// Vectors as wide as the registers of a level, for the loops that are written once (loops.h).
//
// The file of a level says how wide, by CORVID_VECTOR_BYTES: of wider vectors than the machine has,
// GCC takes comparisons and selections apart into single numbers. Vectors are passed only between
// functions that are always inlined, so no calling convention is involved and the warning about
// one is empty.
#ifndef CORVID_SIMD_GENERIC_LANES_H_
#define CORVID_SIMD_GENERIC_LANES_H_

#include "simd/generic/common.h"
#include "simd/loops.h"

#ifndef CORVID_VECTOR_BYTES
#error "the file of a level sets CORVID_VECTOR_BYTES before it includes the loops"
#endif

#pragma GCC diagnostic ignored "-Wpsabi"

namespace corvid {
namespace {

// Rows of one vector, and vectors of kLanes rows.
constexpr size_t kWidth = CORVID_VECTOR_BYTES / sizeof(float);
constexpr size_t kVectors = kLanes / kWidth;

typedef float FloatVector __attribute__((vector_size(CORVID_VECTOR_BYTES)));
typedef int32_t IntVector __attribute__((vector_size(CORVID_VECTOR_BYTES)));
typedef uint8_t ByteVector __attribute__((vector_size(kWidth)));

CORVID_INLINE FloatVector load(const float* from) {
  FloatVector vector;
  memcpy(&vector, from, sizeof vector);
  return vector;
}
CORVID_INLINE IntVector load(const int32_t* from) {
  IntVector vector;
  memcpy(&vector, from, sizeof vector);
  return vector;
}
CORVID_INLINE void store(const FloatVector& vector, float* to) {
  memcpy(to, &vector, sizeof vector);
}
CORVID_INLINE void store(const IntVector& vector, int32_t* to) {
  memcpy(to, &vector, sizeof vector);
}
CORVID_INLINE IntVector load_bytes(const uint8_t* from) {
  ByteVector bytes;
  memcpy(&bytes, from, sizeof bytes);
  return __builtin_convertvector(bytes, IntVector);
}
CORVID_INLINE void store_bytes(const IntVector& vector, uint8_t* to) {
  const ByteVector bytes = __builtin_convertvector(vector, ByteVector);
  memcpy(to, &bytes, sizeof bytes);
}

}  // namespace
}  // namespace corvid

#endif  // CORVID_SIMD_GENERIC_LANES_H_
