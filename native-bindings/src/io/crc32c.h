// CRC32C (Castagnoli, reflected polynomial 0x82F63B78), as defined for iSCSI (RFC 3720).
#ifndef CORVID_IO_CRC32C_H_
#define CORVID_IO_CRC32C_H_

#include <cstddef>
#include <cstdint>

namespace corvid {

// Checksum of `bytes` bytes. `initial` is the checksum of the preceding data, 0 at the start:
// crc32c(b, n, crc32c(a, m)) is the checksum of a followed by b.
uint32_t crc32c(const void* data, size_t bytes, uint32_t initial = 0);

}  // namespace corvid

#endif  // CORVID_IO_CRC32C_H_
