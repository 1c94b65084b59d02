// Vectors in panels of bytes, for Kernels::panel_products, and rows in seven bits to multiply them
// with.
#ifndef CORVID_CODEC_PANELS_H_
#define CORVID_CODEC_PANELS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels.h"

namespace corvid {

// Rows as bytes 1 .. 127 that stand for scale * (byte - 64).
constexpr int kRowByteZero = 64;
constexpr float kRowByteReach = 63;

constexpr size_t whole_fours(size_t dims) { return (dims + 3) / 4 * 4; }

// Writes a row of `dims` numbers as whole_fours(dims) bytes, and returns its scale.
float quantise_row(const float* x, size_t dims, uint8_t* out);

// `count` vectors, each with a scale of its own, in ceil(count / 16) panels.
class Panels {
 public:
  Panels() = default;
  Panels(const float* vectors, size_t count, size_t dims);

  size_t depth() const { return depth_; }
  size_t panels() const { return scales_.size() / kPanelVectors; }
  // Vectors with those that fill the last panel up: 16 * panels().
  size_t width() const { return scales_.size(); }
  // Of every vector; 0 of those that fill up.
  const float* scales() const { return scales_.data(); }

  // out (row_count x width): whole numbers that, times the row's and the vector's scale, are the
  // inner products. rows: row_count x depth bytes.
  void products(const uint8_t* rows, size_t row_count, int32_t* out) const {
    kernels().panel_products(rows, row_count, depth_, bytes_.data(), panels(), start_.data(), out);
  }

  // The same as inner products, rows as lanes: out (vectors x stride) = start[v] + ⟨row, vector v⟩,
  // or, without a start, that added to what is there.
  void lanes(const uint8_t* rows, const float* row_scales, size_t row_count, const float* start,
             float* out, size_t stride) const;

 private:
  size_t depth_ = 0;
  size_t count_ = 0;
  std::vector<float> scales_;
  std::vector<int32_t> start_;  // takes off what the rows' bytes are lifted by
  std::vector<int8_t> bytes_;
};

}  // namespace corvid

#endif  // CORVID_CODEC_PANELS_H_
