// A fused multiply-add in plain C, for machines without the instruction: a * b + c with one
// rounding.
//
// The product of two floats is exact in double. The sum with c may not be, and rounding it to
// double and then to float could round a tie the wrong way. So it is rounded to odd (Boldo and
// Melquiond, "Emulation of a FMA and correctly rounded sums", 2008): truncated towards zero, with
// the last bit set if the sum was inexact. Rounding that to float gives the correctly rounded
// result.
#ifndef CORVID_SIMD_GENERIC_MULTIPLY_ADD_H_
#define CORVID_SIMD_GENERIC_MULTIPLY_ADD_H_

#include <string.h>

#include "simd/generic/common.h"

namespace corvid {
namespace {

CORVID_INLINE float multiply_add(float a, float b, float c) {
  const double product = (double)a * b, addend = c;
  double sum = product + addend;
  // The exact rounding error of the sum (Knuth's two-sum); NaN where the sum is infinite or NaN.
  const double part = sum - product;
  const double lost = (product - (sum - part)) + (addend - part);
  uint64_t bits, lost_bits;
  memcpy(&bits, &sum, sizeof bits);
  memcpy(&lost_bits, &lost, sizeof lost_bits);
  const uint64_t inexact = (uint64_t)(lost < 0) | (uint64_t)(lost > 0);
  // If rounding went away from zero, the truncated sum is the next double towards zero.
  bits = (bits - ((bits ^ lost_bits) >> 63 & inexact)) | inexact;
  memcpy(&sum, &bits, sizeof sum);
  return (float)sum;
}

}  // namespace
}  // namespace corvid

#endif  // CORVID_SIMD_GENERIC_MULTIPLY_ADD_H_
