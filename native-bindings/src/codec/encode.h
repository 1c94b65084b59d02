// Embeddings to codes: chooses a list for every row and encodes it at all levels.
//
// A row goes to that one of its few nearest lists in which its 64 bits come nearest to it by
// cosine; a list costs no bits, so this choice is free precision (recall@10 .650 → .660). Works in
// projected space: with P = Qᵀx of a level and S = Qᵀx̂ of what the levels before decode to, the
// level's own coordinates are z = P − S, and S follows from Qᵀ(µ + c) and the products of
// directions of different levels, so no row is ever decoded.
#ifndef CORVID_CODEC_ENCODE_H_
#define CORVID_CODEC_ENCODE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "codec/assign.h"
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
  Encoder(std::shared_ptr<const Codec> codec, size_t threads);

  // embeddings: rows x codec.dims(), unit length; only read. Each row's result depends on that
  // row alone, up to the last bits of matrix products. May be called by several threads at once.
  void encode(const float* embeddings, size_t rows, size_t threads, const EncodedRows& out) const;

 private:
  struct Batch;
  struct Trials;
  struct Piece;

  void find_candidates(Batch& batch, size_t threads) const;
  void try_lists(Batch& batch, const uint32_t* numbers, size_t count, Trials& trials) const;
  void project_trials(const Batch& batch, Trials& trials) const;
  void choose_lists(Batch& batch, const EncodedRows& out) const;
  void encode_longer(const Batch& batch, const uint32_t* rows, size_t count, const EncodedRows& out,
                     Piece& piece) const;
  void project_piece(const Batch& batch, Piece& piece) const;
  void encode_level(Piece& piece, size_t level) const;
  void write_longer(const Piece& piece, const EncodedRows& out) const;
  void write_vectors(const float* embeddings, size_t first, size_t last, int8_t* vectors) const;

  std::shared_ptr<const Codec> codec_;
  ListAssigner assigner_;
  // Per group of the level: Qᵀ, added_bits x padded_dims.
  std::vector<std::vector<float>> directions_[kLevelCount];
  // Per group of level 64: Qᵀ of this level times the Q of all levels before, added_bits x bits.
  std::vector<std::vector<float>> cross_products_[kLevelCount];
};

}  // namespace corvid

#endif  // CORVID_CODEC_ENCODE_H_
