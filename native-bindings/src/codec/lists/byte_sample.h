// A large training sample with one byte per component: four times as many embeddings fit in memory
// as with floats, and means over many of them lose no precision that matters.
#ifndef CORVID_CODEC_LISTS_BYTE_SAMPLE_H_
#define CORVID_CODEC_LISTS_BYTE_SAMPLE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace corvid {

class ByteSample {
 public:
  // Reserves memory for `capacity` embeddings of `dims` components. They are read padded with zeros
  // to `padded_dims`.
  ByteSample(size_t capacity, size_t dims, size_t padded_dims);

  size_t rows() const { return scales_.size(); }
  size_t dims() const { return padded_dims_; }

  // Precondition: rows() + count <= capacity. x: count x the constructor's `dims`.
  void add(const float* x, size_t count);
  // Writes a row to `out`: dims() floats, each off by at most 1/254 of the row's largest magnitude.
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
