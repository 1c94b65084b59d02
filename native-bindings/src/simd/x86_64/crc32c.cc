// Kernels::crc32c by the instruction of SSE4.2, which every machine with AVX2 has.
#include "simd/x86_64/crc32c.h"

#include "simd/levels.h"

#ifdef CORVID_X86

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("sse4.2,crc32"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("sse4.2")
#endif

#include <nmmintrin.h>
#include <string.h>

namespace corvid {

uint32_t crc32c_by_instruction(const uint8_t* data, size_t bytes, uint32_t crc) {
  uint64_t state = crc;
  for (; bytes >= 8; bytes -= 8, data += 8) {
    uint64_t word;
    memcpy(&word, data, 8);
    state = _mm_crc32_u64(state, word);
  }
  crc = (uint32_t)state;
  for (; bytes > 0; --bytes, ++data) crc = _mm_crc32_u8(crc, *data);
  return crc;
}

}  // namespace corvid

#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif

#endif  // CORVID_X86
