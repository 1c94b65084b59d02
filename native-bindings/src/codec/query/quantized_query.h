// A query quantised to fourteen bits per component, so that its products with the codec's bytes are
// integers: fast, and identical on every machine, whatever the order of summation.
#ifndef CORVID_CODEC_QUERY_QUANTIZED_QUERY_H_
#define CORVID_CODEC_QUERY_QUANTIZED_QUERY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/format/panels.h"

namespace corvid {

// x ≈ scale * (128 * coarse + fine), to within 1/16,000 of x's largest magnitude.
class QuantizedQuery {
 public:
  // Quantises x, of `dims` finite components. Memory is reused.
  void set(const float* x, size_t dims);

  // out[v] = ⟨x, vector v⟩ for panels.count() vectors of `dims` components.
  void products(const PanelSpan& panels, float* out) const;

  // The same for a batch of queries, at less cost per query: out[q * panels.count() + v].
  friend void products_of_all(const QuantizedQuery* queries, size_t count, const PanelSpan& panels,
                              float* out);

  // ⟨x, bytes⟩ · vector_scale, for `dims` bytes within -127 .. 127.
  float product(const int8_t* bytes, float vector_scale) const;

 private:
  size_t dims_ = 0;
  float scale_ = 1;
  std::vector<uint8_t> rows_;  // 2 x dims rounded up to fours: coarse, fine, as panel rows
  std::vector<int8_t> parts_;  // 2 x dims: coarse, fine
};

void products_of_all(const QuantizedQuery* queries, size_t count, const PanelSpan& panels,
                     float* out);

}  // namespace corvid

#endif  // CORVID_CODEC_QUERY_QUANTIZED_QUERY_H_
