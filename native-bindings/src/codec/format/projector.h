// A fast way to project rows onto fixed directions.
#ifndef CORVID_CODEC_FORMAT_PROJECTOR_H_
#define CORVID_CODEC_FORMAT_PROJECTOR_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/format/byte_rows.h"
#include "codec/format/panels.h"

namespace corvid {

// Projects rows onto fixed directions with integers: rows in seven bits, directions in eight.
// The error of a coordinate is about 1/200 of the row's largest component about the mean.
class Projector {
 public:
  Projector() = default;
  // Directions of `dims` numbers, which belong to the caller. `mean` is that of the rows.
  Projector(const PanelSpan& directions, const float* mean, size_t dims);

  size_t kept() const { return offsets_.size(); }
  // out (kept x stride) = ⟨x, direction⟩ of the rows `numbers`, as lanes (Panels::lanes).
  void project_lanes(const ByteRows& rows, const uint32_t* numbers, size_t count, float* out,
                     size_t stride) const;

 private:
  PanelSpan panels_;
  std::vector<float> offsets_;  // ⟨µ, direction⟩
};

}  // namespace corvid

#endif  // CORVID_CODEC_FORMAT_PROJECTOR_H_
