// What the processor and the operating system allow.
#ifndef CORVID_SIMD_X86_64_CPU_H_
#define CORVID_SIMD_X86_64_CPU_H_

namespace corvid {

// AVX2, FMA, F16C and POPCNT, with the operating system saving the ymm registers (XCR0).
bool cpu_has_avx2();
// All of that, and AVX-512 F, BW, VL, DQ, VBMI, VNNI and VPOPCNTDQ, and GFNI, with zmm and opmask
// registers saved.
bool cpu_has_avx512();
// All of that, and AMX with int8, with its tiles saved; whether the system lets a process use them
// is another question (amx.h).
bool cpu_has_amx();

}  // namespace corvid

#endif  // CORVID_SIMD_X86_64_CPU_H_
