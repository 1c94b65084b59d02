// The code bytes of a longer level, from the windows that Loops::best_windows chooses.
#ifndef CORVID_CODEC_ENCODE_TRELLIS_H_
#define CORVID_CODEC_ENCODE_TRELLIS_H_

#include <cstddef>
#include <cstdint>

namespace corvid {

// Code bytes of all lanes from their windows (count x stride): bytes[b * stride + r] is byte b of
// row r.
void pack_windows(const uint8_t* windows, size_t count, size_t stride, uint8_t* bytes);

}  // namespace corvid

#endif  // CORVID_CODEC_ENCODE_TRELLIS_H_
