// The kernels in this build, one table per level; simd/dispatch.cc chooses.
#ifndef CORVID_SIMD_LEVELS_H_
#define CORVID_SIMD_LEVELS_H_

#include "simd/contract.h"

namespace corvid {

extern const Kernels kScalarKernels;
extern const Loops kGenericLoops;  // of scalar and NEON

#if defined(__x86_64__) || defined(_M_X64)
#define CORVID_X86 1
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
extern const Loops kAvx2Loops;
extern const Loops kAvx512Loops;
#endif

#if defined(__aarch64__) || defined(_M_ARM64)
#define CORVID_ARM64 1
extern const Kernels kNeonKernels;
#endif

}  // namespace corvid

#endif  // CORVID_SIMD_LEVELS_H_
