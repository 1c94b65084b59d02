// The loops for any machine of this kind: SSE2 on x86-64, NEON on arm64.
#define CORVID_VECTOR_BYTES 16
#include "simd/generic/loops.h"

#include "simd/levels.h"

namespace corvid {

const Loops kGenericLoops = kCompiledLoops;

}  // namespace corvid
