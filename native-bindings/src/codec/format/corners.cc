#include "codec/format/corners.h"

namespace corvid {

void corner_values(const Corners& corners, const uint8_t* codes, size_t stride, float* values) {
  for (size_t j = 0; j < kTables; ++j) {
    const uint8_t* block_codes = codes + j * stride;
    for (size_t d = 0; d < kBlockDirections; ++d) {
      const float* coordinates = corners.coordinate(d, j);
      float* out = values + (j * kBlockDirections + d) * stride;
      for (size_t r = 0; r < stride; ++r) out[r] = coordinates[block_codes[r]];
    }
  }
}

}  // namespace corvid
