// Encoding of the longer levels (codec/longer.h), in projected space: with P = Vᵀx and
// S = Vᵀx̂64 = Vᵀ(µ + c) + s·VᵀQ·corners, the coordinates of a row are y = (P − S) / g, so no row is
// ever decoded.
#ifndef CORVID_CODEC_ENCODE_ENCODE_RESIDUAL_H_
#define CORVID_CODEC_ENCODE_ENCODE_RESIDUAL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "codec/encode/residual.h"
#include "codec/format/byte_rows.h"
#include "codec/format/codec.h"
#include "codec/format/panels.h"
#include "codec/format/projector.h"

namespace corvid {

// Rows whose level 64 is there already.
struct LongerBatch {
  const ByteRows& x;
  const uint32_t* lists;      // rows
  const LongerStart* starts;  // rows
  uint8_t* codes;             // rows x codec.row_bytes(): read at level 64, written behind it
};

// Matrices of a codec, laid out for encoding.
class LongerEncoder {
 public:
  // A codec with longer levels; it must outlive the encoder.
  LongerEncoder(const Codec& codec, size_t threads);

  // May be called by several threads at once.
  void encode(const LongerBatch& batch, size_t threads) const;

 private:
  struct Tile;

  void encode_tile(const LongerBatch& batch, Tile& tile) const;
  void project(const LongerBatch& batch, Tile& tile) const;
  void add_centers(const LongerBatch& batch, Tile& tile) const;
  void add_corners(const LongerBatch& batch, Tile& tile) const;
  void write_level(const LongerBatch& batch, size_t level, Tile& tile) const;

  const Codec& codec_;
  size_t columns_;
  std::vector<Projector> bases_;      // per outer group: Vᵀ
  std::vector<Panels> products_;      // per group of level 64: VᵀQ, columns x 64
  std::vector<int8_t> centers_;       // lists x columns: Vᵀ(µ + c) ...
  std::vector<float> center_scales_;  // lists: ... divided by this
};

}  // namespace corvid

#endif  // CORVID_CODEC_ENCODE_ENCODE_RESIDUAL_H_
