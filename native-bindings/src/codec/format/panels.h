// Vectors quantised to int8 in panels, the layout that Kernels::panel_products reads, and rows
// quantised to seven bits to multiply them with.
#ifndef CORVID_CODEC_FORMAT_PANELS_H_
#define CORVID_CODEC_FORMAT_PANELS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/aligned.h"
#include "base/prefetch.h"
#include "simd/contract.h"

namespace corvid {

// A row is bytes 1 .. 127; each stands for scale * (byte - 64).
constexpr int kRowByteZero = 64;
constexpr float kRowByteReach = 63;

constexpr size_t round_up_to_fours(size_t dims) { return (dims + 3) / 4 * 4; }
constexpr size_t round_up_to_panels(size_t count) {
  return (count + kPanelVectors - 1) / kPanelVectors * kPanelVectors;
}

// Quantises `count` values to -127 .. 127, and returns the scale that they were divided by.
float quantise(const float* values, size_t count, int8_t* out);

// Quantises a row of `dims` components to round_up_to_fours(dims) bytes, and returns its scale.
float quantise_row(const float* x, size_t dims, uint8_t* out);

// A view of `count` vectors of `dims` components in ceil(count / 16) panels; vector v is
// scales()[v] times its bytes. The layout is the same in memory and in a file (FORMAT.md, section
// 4): the bytes, then the scales, then the starts, which cancel the offset of 64 in the rows'
// bytes.
class PanelSpan {
 public:
  PanelSpan() = default;
  PanelSpan(const uint8_t* data, size_t count, size_t dims)
      : data_(data), count_(count), depth_(round_up_to_fours(dims)) {}
  // Size of the data; a multiple of 64.
  static constexpr size_t data_bytes(size_t count, size_t dims) {
    return round_up_to_panels(count) * (round_up_to_fours(dims) + sizeof(float) + sizeof(int32_t));
  }

  size_t count() const { return count_; }
  size_t depth() const { return depth_; }
  size_t panels() const { return width() / kPanelVectors; }
  // Vectors, including the padding of the last panel: 16 * panels().
  size_t width() const { return round_up_to_panels(count_); }
  // One per vector; 0 for padding.
  const float* scales() const { return reinterpret_cast<const float*>(data_ + width() * depth_); }

  // out (row_count x width): integer products; times the row's and the vector's scale they are the
  // inner products. rows: row_count x depth bytes.
  void products(const uint8_t* rows, size_t row_count, int32_t* out) const {
    products_of(0, panels(), rows, row_count, out);
  }
  // The same for `count` panels, starting at `first`.
  void products_of(size_t first, size_t count, const uint8_t* rows, size_t row_count,
                   int32_t* out) const {
    const size_t from = first * kPanelVectors;
    kernels().panel_products(rows, row_count, depth_, bytes() + from * depth_, count,
                             starts() + from, out);
  }

  // Inner products with rows as lanes: out (vectors x stride) = start[v] + ⟨row, vector v⟩; if
  // `start` is null, ⟨row, vector v⟩ is added to `out`.
  void lanes(const uint8_t* rows, const float* row_scales, size_t row_count, const float* start,
             float* out, size_t stride) const;

  // Prefetches part `part` of `parts` of the bytes into the second-level cache.
  void fetch_part(size_t part, size_t parts) const {
    const size_t bytes = width() * depth_, first = bytes * part / parts;
    prefetch_later(data_ + first, bytes * (part + 1) / parts - first);
  }

  // Writes vector v, as quantised, to `out`: `dims` floats, at most depth().
  void read(size_t v, size_t dims, float* out) const;
  // All vectors: count x dims.
  std::vector<float> read_all(size_t dims) const;

 private:
  const int8_t* bytes() const { return reinterpret_cast<const int8_t*>(data_); }
  const int32_t* starts() const { return reinterpret_cast<const int32_t*>(scales() + width()); }

  const uint8_t* data_ = nullptr;
  size_t count_ = 0;
  size_t depth_ = 0;
};

// Quantises count x dims values into `data`, which must hold PanelSpan::data_bytes(count, dims)
// zeros and be aligned for floats.
void write_panels(const float* vectors, size_t count, size_t dims, uint8_t* data);

// Panels that own their vectors.
class Panels : public PanelSpan {
 public:
  Panels() = default;
  // vectors: count x dims.
  Panels(const float* vectors, size_t count, size_t dims)
      : memory_(data_bytes(count, dims) / sizeof(uint64_t)) {
    auto* const data = reinterpret_cast<uint8_t*>(memory_.data());
    write_panels(vectors, count, dims, data);
    static_cast<PanelSpan&>(*this) = PanelSpan(data, count, dims);
  }
  // Moving keeps the vectors where they are; a copy would point into the original.
  Panels(Panels&&) = default;
  Panels& operator=(Panels&&) = default;

 private:
  AlignedVector<uint64_t> memory_;
};

}  // namespace corvid

#endif  // CORVID_CODEC_FORMAT_PANELS_H_
