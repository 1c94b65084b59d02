#include "io/crc32c.h"

#include "simd/contract.h"

namespace corvid {

uint32_t crc32c(const void* data, size_t bytes, uint32_t initial) {
  return ~kernels().crc32c(static_cast<const uint8_t*>(data), bytes, ~initial);
}

}  // namespace corvid
