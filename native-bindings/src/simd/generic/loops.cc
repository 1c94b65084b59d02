// The loops for the baseline instruction set: SSE2 on x86-64, NEON on arm64.
#include "simd/generic/loops.h"

#include "simd/levels.h"

namespace corvid {

const Loops kGenericLoops = kCompiledLoops;

}  // namespace corvid
