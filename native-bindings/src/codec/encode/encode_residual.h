// Encoding of the residual levels (codec/encode/residual.h), in projected space: with P = Vᵀx and
// S = Vᵀx̂64 = Vᵀ(µ + c) + s·VᵀQ·corners, the coordinates of a row are y = (P − S) / g, so no row is
// ever decoded. The result of a row depends on that row alone.
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

// Rows that are already encoded at level 64.
struct ResidualBatch {
  const ByteRows& x;
  const uint32_t* lists;        // rows
  const ResidualStart* starts;  // rows
  uint8_t* codes;  // rows x codec.row_bytes(): level 64 is read, the levels after it written
};

// A codec's matrices, laid out for encoding.
class ResidualEncoder {
 public:
  // `codec` must have residual levels and outlive the encoder.
  ResidualEncoder(const Codec& codec, size_t threads);

  // Several threads may call it concurrently.
  void encode(const ResidualBatch& batch, size_t threads) const;

 private:
  struct Tile;

  void encode_tile(const ResidualBatch& batch, Tile& tile) const;
  void project(const ResidualBatch& batch, Tile& tile) const;
  void add_centers(const ResidualBatch& batch, Tile& tile) const;
  void add_corners(const ResidualBatch& batch, Tile& tile) const;
  void write_level(const ResidualBatch& batch, size_t level, Tile& tile) const;

  const Codec& codec_;
  size_t columns_;
  std::vector<Projector> bases_;      // per outer group: Vᵀ
  std::vector<Panels> products_;      // per group of level 64: VᵀQ, columns x 64
  std::vector<int8_t> centers_;       // lists x columns: Vᵀ(µ + c) ...
  std::vector<float> center_scales_;  // lists: ... divided by this
};

}  // namespace corvid

#endif  // CORVID_CODEC_ENCODE_ENCODE_RESIDUAL_H_
