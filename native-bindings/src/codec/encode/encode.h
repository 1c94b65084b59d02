// Embeddings to codes: chooses a list for every row and encodes it at all levels.
//
// A row goes to that one of its few nearest lists in which its 64 bits come nearest to it by
// cosine; a list costs no bits, so this choice is free precision.
#ifndef CORVID_CODEC_ENCODE_ENCODE_H_
#define CORVID_CODEC_ENCODE_ENCODE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "codec/encode/encode_residual.h"
#include "codec/format/codec.h"
#include "codec/format/normalize.h"
#include "codec/lists/assign.h"

namespace corvid {

// Where encode() writes: `rows` records each, as EncodedBatch in src/native/codec.ts.
struct EncodedRows {
  uint32_t* lists;  // rows
  uint8_t* codes;   // rows x codec.row_bytes()
  int8_t* vectors;  // rows x codec.dims(), or null if they are not wanted
};

// Matrices of a codec, laid out for encoding: tens of MB, or hundreds with very many lists, so made
// only by who encodes.
class Encoder {
 public:
  Encoder(std::shared_ptr<const Codec> codec, size_t threads);

  // vectors: of codec.dims() numbers and any length, which are brought to unit length. Each row's
  // result depends on that row alone. May be called by several threads at once. Throws
  // ERR_VECTOR_INVALID as to_unit.
  void encode(const RawVectors& vectors, size_t threads, const EncodedRows& out) const;

 private:
  struct Batch;
  struct Trials;

  void read_rows(const RawVectors& vectors, size_t first, size_t last, Batch& batch,
                 int8_t* bytes) const;
  void try_lists(Batch& batch, const uint32_t* numbers, size_t count, Trials& trials) const;
  void project_trials(const Batch& batch, Trials& trials) const;
  void choose_lists(Batch& batch, const EncodedRows& out) const;
  void write_vector(const float* x, int8_t* vector) const;

  std::shared_ptr<const Codec> codec_;
  ListAssigner assigner_;
  std::vector<Projector> directions_;          // per group: Qᵀ
  std::unique_ptr<ResidualEncoder> residual_;  // if there are residual levels
};

}  // namespace corvid

#endif  // CORVID_CODEC_ENCODE_ENCODE_H_
