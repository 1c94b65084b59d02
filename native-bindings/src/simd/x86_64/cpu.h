// The instruction sets that the processor has and the operating system supports.
#ifndef CORVID_SIMD_X86_64_CPU_H_
#define CORVID_SIMD_X86_64_CPU_H_

namespace corvid {

// AVX2, FMA, F16C and POPCNT, with the operating system saving the ymm registers (XCR0).
bool cpu_has_avx2();
// All of that, and AVX-512 F, BW, VL, DQ, VBMI, VNNI and VPOPCNTDQ, and GFNI, with the zmm and
// opmask registers saved.
bool cpu_has_avx512();
// All of that, and AMX with int8, with the tile registers saved. Whether the system permits this
// process to use them is system_allows_amx (simd/x86_64/amx.h).
bool cpu_has_amx();

}  // namespace corvid

#endif  // CORVID_SIMD_X86_64_CPU_H_
