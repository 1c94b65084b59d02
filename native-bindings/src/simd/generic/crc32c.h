// Kernels::crc32c by tables, for any level.
#ifndef CORVID_SIMD_GENERIC_CRC32C_H_
#define CORVID_SIMD_GENERIC_CRC32C_H_

#include <cstddef>
#include <cstdint>

namespace corvid {

uint32_t crc32c_by_table(const uint8_t* data, size_t bytes, uint32_t crc);

}  // namespace corvid

#endif  // CORVID_SIMD_GENERIC_CRC32C_H_
