// Kernels that use AMX, where the compiler knows it and the system hands it out: Linux on x86-64.
#ifndef CORVID_SIMD_X86_64_AMX_H_
#define CORVID_SIMD_X86_64_AMX_H_

#include "simd/levels.h"

#if defined(CORVID_X86) && defined(__linux__) && \
    (defined(__clang__) ? __clang_major__ >= 12 : defined(__GNUC__) && __GNUC__ >= 11)
#define CORVID_AMX 1

namespace corvid {

const Kernels& amx_kernels();

// Asks for leave to use tiles, once for the process.
bool system_allows_amx();

}  // namespace corvid

#endif

#endif  // CORVID_SIMD_X86_64_AMX_H_
