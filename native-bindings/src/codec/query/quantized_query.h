// A query in integers of fourteen bits, so that its products with the codec's bytes are integers
// too: fast, and the same on every machine, whatever the order of their sums.
#ifndef CORVID_CODEC_QUERY_QUANTIZED_QUERY_H_
#define CORVID_CODEC_QUERY_QUANTIZED_QUERY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/format/panels.h"

namespace corvid {

// x ≈ scale * (128 * coarse + fine), to 1/16,000 of its largest number.
class QuantizedQuery {
 public:
  // Takes `dims` finite numbers; memory is reused.
  void set(const float* x, size_t dims);

  // out[v] = ⟨x, vector v⟩ of panels.count() vectors of as many numbers as set() took.
  void products(const PanelSpan& panels, float* out) const;

  // The same of many queries at once, for less: out[q * panels.count() + v].
  friend void products_of_all(const QuantizedQuery* queries, size_t count, const PanelSpan& panels,
                              float* out);

  // ⟨x, bytes⟩ · vector_scale, `dims` bytes of -127 .. 127, as many as set() took.
  float product(const int8_t* bytes, float vector_scale) const;

 private:
  size_t dims_ = 0;
  float scale_ = 1;
  std::vector<uint8_t> rows_;  // coarse and fine as rows for panel products: 2 x a multiple of four
  std::vector<int8_t> parts_;  // 2 x dims: coarse, fine
};

void products_of_all(const QuantizedQuery* queries, size_t count, const PanelSpan& panels,
                     float* out);

}  // namespace corvid

#endif  // CORVID_CODEC_QUERY_QUANTIZED_QUERY_H_
