#include "codec/encode/trellis.h"

namespace corvid {

void pack_windows(const uint8_t* windows, size_t count, size_t stride, uint8_t* bytes) {
  for (size_t i = 0; i < count; i += 8, windows += 8 * stride, bytes += stride) {
    for (size_t r = 0; r < stride; ++r) bytes[r] = 0;
    for (size_t bit = 0; bit < 8; ++bit) {
      const uint8_t* own = windows + bit * stride;
      for (size_t r = 0; r < stride; ++r) {
        bytes[r] = static_cast<uint8_t>(bytes[r] | own[r] >> 5 << bit);
      }
    }
  }
}

}  // namespace corvid
