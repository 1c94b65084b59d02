// CRC32C by tables: the reference, and what levels without an instruction for it use.
#include "simd/generic/crc32c.h"

#include <array>
#include <cstring>

namespace corvid {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78u;

// Slicing-by-8 (Kounavis and Berry, 2005): tables[k][b] is the contribution of byte b followed by k
// further bytes.
std::array<std::array<uint32_t, 256>, 8> make_tables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

}  // namespace

uint32_t crc32c_by_table(const uint8_t* data, size_t bytes, uint32_t crc) {
  static const auto tables = make_tables();
  for (; bytes >= 8; bytes -= 8, data += 8) {
    uint64_t word;
    std::memcpy(&word, data, 8);
    word ^= crc;
    crc = 0;
    for (size_t k = 0; k < 8; ++k) crc ^= tables[7 - k][(word >> (8 * k)) & 0xFF];
  }
  for (; bytes > 0; --bytes, ++data) crc = (crc >> 8) ^ tables[0][(crc ^ *data) & 0xFF];
  return crc;
}

}  // namespace corvid
