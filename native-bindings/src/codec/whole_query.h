// A query in whole numbers of fourteen bits, so that its products with the codec's bytes are whole
// numbers too: fast, and the same on every machine, whatever the order of their sums.
#ifndef CORVID_CODEC_WHOLE_QUERY_H_
#define CORVID_CODEC_WHOLE_QUERY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/panels.h"

namespace corvid {

// x ≈ scale() * (128 * coarse + fine), to 1/16,000 of its largest number.
class WholeQuery {
 public:
  // Takes `dims` finite numbers; memory is reused.
  void set(const float* x, size_t dims);

  size_t depth() const { return depth_; }
  float scale() const { return scale_; }
  // Coarse and fine as rows for panel products: 2 x depth().
  const uint8_t* rows() const { return rows_.data(); }

  // out[v] = ⟨x, vector v⟩ of panels.count() vectors of depth() numbers.
  void products(const PanelSpan& panels, float* out) const;

  // ⟨x, bytes⟩ · vector_scale, `dims` bytes of -127 .. 127, as many as set() took.
  float product(const int8_t* bytes, float vector_scale) const;

 private:
  size_t dims_ = 0;
  size_t depth_ = 0;
  float scale_ = 1;
  std::vector<uint8_t> rows_;
  std::vector<int8_t> parts_;  // 2 x dims: coarse, fine
};

// What 128 * coarse + fine is for the sums that a row's two parts gave.
inline float joined(int32_t coarse, int32_t fine) {
  return 128.0f * static_cast<float>(coarse) + static_cast<float>(fine);
}

}  // namespace corvid

#endif  // CORVID_CODEC_WHOLE_QUERY_H_
