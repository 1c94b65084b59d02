// CRC32C by the processor's instruction where there is one, else by tables. All give the same
// checksum.
#include "io/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <nmmintrin.h>
#define CORVID_CRC_X86 1
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define CORVID_CRC_ARM 1
#endif

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

uint32_t crc_by_table(const uint8_t* data, size_t bytes, uint32_t crc) {
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

#ifdef CORVID_CRC_X86
__attribute__((target("sse4.2"))) uint32_t crc_by_instruction(const uint8_t* data, size_t bytes,
                                                              uint32_t crc) {
  uint64_t state = crc;
  for (; bytes >= 8; bytes -= 8, data += 8) {
    uint64_t word;
    std::memcpy(&word, data, 8);
    state = _mm_crc32_u64(state, word);
  }
  crc = static_cast<uint32_t>(state);
  for (; bytes > 0; --bytes, ++data) crc = _mm_crc32_u8(crc, *data);
  return crc;
}
#endif

}  // namespace

uint32_t crc32c(const void* data, size_t bytes, uint32_t initial) {
  const uint8_t* at = static_cast<const uint8_t*>(data);
  uint32_t crc = ~initial;
#if defined(CORVID_CRC_X86)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2");
  crc = has_instruction ? crc_by_instruction(at, bytes, crc) : crc_by_table(at, bytes, crc);
#elif defined(CORVID_CRC_ARM)
  for (; bytes >= 8; bytes -= 8, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    crc = __crc32cd(crc, word);
  }
  for (; bytes > 0; --bytes, ++at) crc = __crc32cb(crc, *at);
#else
  crc = crc_by_table(at, bytes, crc);
#endif
  return ~crc;
}

}  // namespace corvid
