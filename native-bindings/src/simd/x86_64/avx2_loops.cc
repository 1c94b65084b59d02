// The loops for AVX2. Although FMA is enabled, products and sums are never fused
// (-ffp-contract=off), as simd/loops.h requires.
#include "simd/levels.h"

#ifdef CORVID_X86

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,popcnt"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c,popcnt")
#endif

#define CORVID_VECTOR_BYTES 32
#include "simd/generic/loops.h"

namespace corvid {

const Loops kAvx2Loops = kCompiledLoops;

}  // namespace corvid

#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif

#endif  // CORVID_X86
