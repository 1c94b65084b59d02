#include "simd/x86_64/cpu.h"

#include <cstdint>
#include <initializer_list>

#include "simd/levels.h"

#ifdef CORVID_X86

#ifdef _MSC_VER
#include <immintrin.h>
#include <intrin.h>
#else
#include <cpuid.h>
#endif

namespace corvid {
namespace {

struct Registers {
  uint32_t eax, ebx, ecx, edx;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r = {0, 0, 0, 0};
#ifdef _MSC_VER
  int values[4];
  __cpuidex(values, static_cast<int>(leaf), static_cast<int>(subleaf));
  r = {static_cast<uint32_t>(values[0]), static_cast<uint32_t>(values[1]),
       static_cast<uint32_t>(values[2]), static_cast<uint32_t>(values[3])};
#else
  if (!__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx)) r = {0, 0, 0, 0};
#endif
  return r;
}

// XCR0: which register sets the operating system saves. Call only where OSXSAVE is set.
uint64_t saved_registers() {
#ifdef _MSC_VER
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
#endif
}

bool all(uint32_t word, std::initializer_list<int> bits) {
  for (const int bit : bits) {
    if ((word >> bit & 1) == 0) return false;
  }
  return true;
}

struct Features {
  bool avx2 = false;
  bool avx512 = false;
  bool amx = false;

  Features() {
    const Registers one = cpuid(1, 0);
    // FMA 12, POPCNT 23, OSXSAVE 27, AVX 28, F16C 29.
    if (!all(one.ecx, {12, 23, 27, 28, 29})) return;
    const uint64_t saved = saved_registers();
    const Registers seven = cpuid(7, 0);
    avx2 = (saved & 0x6) == 0x6 && all(seven.ebx, {5});
    // ebx: F 16, DQ 17, BW 30, VL 31. ecx: VBMI 1, GFNI 8, VNNI 11, VPOPCNTDQ 14. XCR0: opmask,
    // zmm 0-15, zmm 16-31.
    avx512 = avx2 && (saved & 0xE6) == 0xE6 && all(seven.ebx, {16, 17, 30, 31}) &&
             all(seven.ecx, {1, 8, 11, 14});
    // edx: TILE 24, INT8 25. XCR0: the tiles' shapes and data.
    amx = avx512 && (saved & 0x60000) == 0x60000 && all(seven.edx, {24, 25});
  }
};

const Features& features() {
  static const Features found;
  return found;
}

}  // namespace

bool cpu_has_avx2() { return features().avx2; }
bool cpu_has_avx512() { return features().avx512; }
bool cpu_has_amx() { return features().amx; }

}  // namespace corvid

#else

namespace corvid {
bool cpu_has_avx2() { return false; }
bool cpu_has_avx512() { return false; }
bool cpu_has_amx() { return false; }
}  // namespace corvid

#endif
