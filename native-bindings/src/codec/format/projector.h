// Fast projection of rows onto fixed directions, by integer products.
#ifndef CORVID_CODEC_FORMAT_PROJECTOR_H_
#define CORVID_CODEC_FORMAT_PROJECTOR_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/format/byte_rows.h"
#include "codec/format/panels.h"

namespace corvid {

// Rows have seven bits per component, directions eight.
// The error of a coordinate is about 1/200 of the centered row's largest component.
class Projector {
 public:
  Projector() = default;
  // Keeps a view of `directions`, of `dims` components each. `mean` is that of the rows.
  Projector(const PanelSpan& directions, const float* mean, size_t dims);

  size_t kept() const { return offsets_.size(); }
  // out (kept x stride) = ⟨x, direction⟩ of rows numbers[0 .. count), as PanelSpan::lanes.
  void project_lanes(const ByteRows& rows, const uint32_t* numbers, size_t count, float* out,
                     size_t stride) const;

 private:
  PanelSpan panels_;
  std::vector<float> offsets_;  // ⟨µ, direction⟩
};

}  // namespace corvid

#endif  // CORVID_CODEC_FORMAT_PROJECTOR_H_
