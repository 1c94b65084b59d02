// Embeddings as the encoder reads them: centered on the mean and quantised to seven bits per
// component, so that products with them are integers. List assignment, level 64 and the residual
// levels all start from these bytes.
#ifndef CORVID_CODEC_FORMAT_BYTE_ROWS_H_
#define CORVID_CODEC_FORMAT_BYTE_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/prefetch.h"
#include "codec/format/panels.h"

namespace corvid {

class ByteRows {
 public:
  // Rows of `dims` components, centered on `mean`, which must outlive this. Every row must be set
  // before it is read.
  ByteRows(size_t rows, size_t dims, const float* mean)
      : dims_(dims),
        mean_(mean),
        bytes_(rows * round_up_to_fours(dims)),
        scales_(rows),
        mean_products_(rows),
        squares_(rows) {}

  // Several threads may set different rows. x: dims floats.
  void set(size_t row, const float* x);

  size_t rows() const { return scales_.size(); }
  size_t depth() const { return round_up_to_fours(dims_); }
  // x − µ ≈ scale * (bytes − kRowByteZero).
  const uint8_t* bytes(size_t row) const { return &bytes_[row * depth()]; }
  float scale(size_t row) const { return scales_[row]; }
  // Prefetches a row's bytes and scale.
  void fetch(size_t row) const {
    prefetch(bytes(row), depth());
    prefetch(&scales_[row], sizeof(float));
  }
  // ⟨x − µ, µ⟩ and ‖x‖².
  float mean_product(size_t row) const { return mean_products_[row]; }
  float square(size_t row) const { return squares_[row]; }

 private:
  size_t dims_;
  const float* mean_;
  AlignedVector<uint8_t> bytes_;
  std::vector<float> scales_, mean_products_, squares_;
};

}  // namespace corvid

#endif  // CORVID_CODEC_FORMAT_BYTE_ROWS_H_
