// Choosing and moving the corners of one level in one group: nibbles for many rows at once.
//
// Everything here works on projections that lie direction by direction: coordinate d of block j of
// row r is z[(4 * j + d) * stride + r]. `stride` is a multiple of kLanes, and all `stride` lanes
// must hold numbers, though only the first rows matter. Codes lie block by block the same way:
// codes[j * stride + r], one nibble a byte.
#ifndef CORVID_CODEC_FORMAT_CORNERS_H_
#define CORVID_CODEC_FORMAT_CORNERS_H_

#include <cstddef>
#include <cstdint>

namespace corvid {

// Sweeps of the coordinate search when a row is encoded.
constexpr size_t kEncodeSweeps = 4;

// The corners of one level in one group, as in codec/format/layout.h; not owned.
struct Corners {
  size_t blocks;
  const float* coordinates;    // 4 x blocks x 16
  const float* squared_norms;  // blocks x 16

  const float* coordinate(size_t d, size_t block) const {
    return coordinates + (d * blocks + block) * 16;
  }
};

// codes: for every block the corner nearest to z, the first of equals.
void nearest_corners(const Corners& corners, const float* z, size_t stride, uint8_t* codes);

// Improves `codes` towards the largest cos(x, x̂), x̂ = base + Σ corners, by `sweeps` rounds of
// coordinate search over the blocks; stops early where nothing changes.
struct CosineSearch {
  const float* x;     // projections of x, 4 * blocks x stride
  const float* base;  // projections of the base, the same shape
  float* products;    // stride: in ⟨x, base⟩, out ⟨x, x̂⟩
  float* norms;       // stride: in ‖base‖², out ‖x̂‖²
};
void improve_cosine(const Corners& corners, const CosineSearch& search, size_t stride,
                    size_t sweeps, uint8_t* codes);

// values[(4 * j + d) * stride + r] = coordinate d of the corner that row r has in block j.
void corner_values(const Corners& corners, const uint8_t* codes, size_t stride, float* values);

}  // namespace corvid

#endif  // CORVID_CODEC_FORMAT_CORNERS_H_
