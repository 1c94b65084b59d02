// Embeddings to codes: assigns a list to every row and encodes it at all levels.
//
// Works in projected space. With P = Qᵀx of a level and S = Qᵀx̂ of what the levels before decode
// to, the level's own coordinates are z = P − S, and S follows from Qᵀ(µ + c) and the products of
// directions of different levels, so no row is ever decoded.
#ifndef CORVID_CODEC_ENCODE_H_
#define CORVID_CODEC_ENCODE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "codec/codec.h"

namespace corvid {

// Where encode() writes: `rows` records each, as EncodedBatch in src/native.ts.
struct EncodedRows {
  uint32_t* lists;  // rows
  uint8_t* codes;   // rows x codec.row_bytes()
  int8_t* vectors;  // rows x codec.dims(), or null if they are not wanted
};

// Float matrices of a codec, laid out for encoding: some tens of MB, so made only by who encodes.
class Encoder {
 public:
  explicit Encoder(std::shared_ptr<const Codec> codec, size_t threads);

  // embeddings: rows x codec.dims(), unit length; only read. Each row's result depends on that
  // row alone, up to the last bits of matrix products. May be called by several threads at once.
  void encode(const float* embeddings, size_t rows, size_t threads, const EncodedRows& out) const;

 private:
  struct Piece;

  void encode_piece(const float* embeddings, const uint32_t* order, size_t rows,
                    const EncodedRows& out) const;
  void project(Piece& piece, const float* embeddings) const;
  void encode_level(Piece& piece, size_t level) const;
  void write_codes(const Piece& piece, const EncodedRows& out) const;
  void write_vectors(const float* embeddings, size_t first, size_t last, int8_t* vectors) const;

  std::shared_ptr<const Codec> codec_;
  std::vector<float> centers_;  // lists x padded_dims
  // Per group of the level: Qᵀ, added_bits x padded_dims.
  std::vector<std::vector<float>> directions_[kLevelCount];
  // Per group of level 64: Qᵀ of this level times the Q of all levels before, added_bits x bits.
  std::vector<std::vector<float>> cross_products_[kLevelCount];
};

}  // namespace corvid

#endif  // CORVID_CODEC_ENCODE_H_
