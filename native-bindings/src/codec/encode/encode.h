// Encodes embeddings: chooses a list for every row, and codes the row at all levels.
//
// Of a row's few nearest lists, the encoder chooses the one in which the 64-bit code reaches the
// largest cosine with the row. The list costs no bits, so this choice is precision for free.
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

// The output of encode(): one record per row in each, as EncodedBatch in src/native/codec.ts.
struct EncodedRows {
  uint32_t* lists;  // rows
  uint8_t* codes;   // rows x codec.row_bytes()
  int8_t* vectors;  // rows x codec.dims(); null to skip them
};

// A codec's matrices, laid out for encoding. They take tens of MB, or hundreds with very many
// lists, so an Encoder is made only where rows are encoded.
class Encoder {
 public:
  Encoder(std::shared_ptr<const Codec> codec, size_t threads);

  // Normalises the vectors, of codec.dims() components, and encodes them. Each row's result depends
  // on that row alone. Several threads may call it concurrently. Throws ERR_VECTOR_INVALID, as
  // to_unit does.
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
