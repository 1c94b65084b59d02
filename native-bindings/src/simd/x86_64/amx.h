// Kernels that use AMX, where the compiler supports it and the system grants it: Linux on x86-64.
#ifndef CORVID_SIMD_X86_64_AMX_H_
#define CORVID_SIMD_X86_64_AMX_H_

#include "simd/levels.h"

#if defined(CORVID_X86) && defined(__linux__) && \
    (defined(__clang__) ? __clang_major__ >= 12 : defined(__GNUC__) && __GNUC__ >= 11)
#define CORVID_AMX 1

namespace corvid {

const Kernels& amx_kernels();

// Whether the system permits this process to use tiles; requests the permission on the first call.
bool system_allows_amx();

}  // namespace corvid

#endif

#endif  // CORVID_SIMD_X86_64_AMX_H_
