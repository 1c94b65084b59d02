// The loops for AVX-512 with F, BW, VL and DQ.
#include "simd/levels.h"

#ifdef CORVID_X86

#if defined(__clang__)
#pragma clang attribute push(                                                           \
    __attribute__((target("avx2,fma,f16c,popcnt,avx512f,avx512bw,avx512vl,avx512dq"))), \
    apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c,popcnt,avx512f,avx512bw,avx512vl,avx512dq")
#endif

#define CORVID_VECTOR_BYTES 64
#include "simd/generic/loops.h"

namespace corvid {

const Loops kAvx512Loops = kCompiledLoops;

}  // namespace corvid

#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif

#endif  // CORVID_X86
