// Very many embeddings for training, a byte a number: averages over some of them lose nothing by
// it, and four times as many fit the memory.
#ifndef CORVID_CODEC_LISTS_BYTE_SAMPLE_H_
#define CORVID_CODEC_LISTS_BYTE_SAMPLE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace corvid {

class ByteSample {
 public:
  // Makes room for `capacity` embeddings of `dims` numbers, padded with zeros to `padded_dims`.
  ByteSample(size_t capacity, size_t dims, size_t padded_dims);

  size_t rows() const { return scales_.size(); }
  size_t dims() const { return padded_dims_; }

  // Precondition: there is room for `count` rows more. x: count x the dims given to the
  // constructor.
  void add(const float* x, size_t count);
  // Writes a row: dims() numbers, each off by at most a 254th of the row's largest.
  void row(size_t index, float* out) const;
  // The same for consecutive rows.
  void rows_from(size_t first, size_t count, float* out) const {
    for (size_t i = 0; i < count; ++i) row(first + i, out + i * padded_dims_);
  }

 private:
  size_t dims_, padded_dims_;
  std::vector<int8_t> bytes_;  // rows x dims
  std::vector<float> scales_;  // rows
};

}  // namespace corvid

#endif  // CORVID_CODEC_LISTS_BYTE_SAMPLE_H_
