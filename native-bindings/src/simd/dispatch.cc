// Chooses the kernels of this machine, once.
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/error.h"
#include "simd/levels.h"
#include "simd/x86_64/amx.h"
#include "simd/x86_64/cpu.h"

namespace corvid {

const Kernels* kernels_named(const char* name) {
  if (std::strcmp(name, "scalar") == 0) return &kScalarKernels;
#ifdef CORVID_X86
  if (std::strcmp(name, "avx2") == 0 && cpu_has_avx2()) return &kAvx2Kernels;
  if (std::strcmp(name, "avx512") == 0 && cpu_has_avx512()) return &kAvx512Kernels;
#endif
#ifdef CORVID_AMX
  if (std::strcmp(name, "amx") == 0 && cpu_has_amx() && system_allows_amx()) return &amx_kernels();
#endif
#ifdef CORVID_ARM64
  if (std::strcmp(name, "neon") == 0) return &kNeonKernels;
#endif
  return nullptr;
}

namespace {

const Kernels& choose() {
  const char* forced = std::getenv("CORVID_SIMD");
  if (forced != nullptr && *forced != '\0') {
    if (const Kernels* named = kernels_named(forced)) return *named;
    throw Error("ERR_NATIVE", "this machine or build cannot run the forced instruction set")
        .path("CORVID_SIMD")
        .expected("scalar, avx2, avx512, amx or neon, as far as the machine supports it")
        .actual(forced)
        .hint("unset CORVID_SIMD to let corvid choose");
  }
  for (const char* name : {"amx", "avx512", "avx2", "neon"}) {
    if (const Kernels* named = kernels_named(name)) return *named;
  }
  return kScalarKernels;
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

}  // namespace corvid
