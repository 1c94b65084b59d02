// Normalises embeddings to unit length, and rejects those that have none.
#ifndef CORVID_CODEC_FORMAT_NORMALIZE_H_
#define CORVID_CODEC_FORMAT_NORMALIZE_H_

#include <cstddef>
#include <cstdint>

namespace corvid {

// out (rows x dims) = in (rows x dims), every row divided by its Euclidean length (summed in
// double). `out` may be `in`. Throws ERR_VECTOR_INVALID, with the row, for NaN, infinity or a
// length of zero.
void to_unit(const float* in, size_t rows, size_t dims, float* out);
void to_unit(const uint16_t* in, size_t rows, size_t dims, float* out);  // IEEE half
void to_unit(const int8_t* in, size_t rows, size_t dims, float* out);

// A view of vectors in the caller's or a file's element type.
struct RawVectors {
  enum Type { kFloat, kHalf, kByte };

  Type type;
  const void* data;
  size_t rows;
  size_t dims;

  // out (count x dims) = rows first .. first + count, as to_unit.
  void unit(size_t first, size_t count, float* out) const;
};

}  // namespace corvid

#endif  // CORVID_CODEC_FORMAT_NORMALIZE_H_
