// Kernels::crc32c of the levels from AVX2 on.
#ifndef CORVID_SIMD_X86_64_CRC32C_H_
#define CORVID_SIMD_X86_64_CRC32C_H_

#include <cstddef>
#include <cstdint>

namespace corvid {

uint32_t crc32c_by_instruction(const uint8_t* data, size_t bytes, uint32_t crc);

}  // namespace corvid

#endif  // CORVID_SIMD_X86_64_CRC32C_H_
