// The part of the residual levels (128, 256, 512 bits) that training and encoding share.
//
// The residual of a row after level 64, r = x − x̂64, is divided by its norm g, the row's gain, and
// projected onto the outer group's basis V: y = Vᵀr / g. Every residual level codes some of these
// coordinates with one bit each (Loops::best_windows), and later levels code the remaining error:
// y ≈ a = Σ step · value. So x̂ of a level is x̂64 + g·V·a. Rows are laid out as lanes
// (simd/loops.h).
#ifndef CORVID_CODEC_ENCODE_RESIDUAL_H_
#define CORVID_CODEC_ENCODE_RESIDUAL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/aligned.h"
#include "codec/format/layout.h"

namespace corvid {

// The state of rows of one outer group while the residual levels are coded. Memory is reused.
struct ResidualRows {
  size_t stride = 0;           // rows rounded up to lanes
  AlignedVector<float> y;      // columns x stride
  AlignedVector<float> start;  // columns x stride: Vᵀx̂64
  AlignedVector<float> coded;  // columns x stride: a
  // Per row: ⟨y, a⟩, ⟨Vᵀx̂64, a⟩ and ‖a‖².
  AlignedVector<float> y_products;
  AlignedVector<float> start_products;
  AlignedVector<float> squares;
  AlignedVector<uint8_t> windows;  // bits x stride, of the last choose_windows

  // Allocates for `columns` x `lanes`, with no level coded yet. The caller then fills all lanes of
  // y and start.
  void reset(size_t columns, size_t lanes);

 private:
  friend void choose_windows(const CodedCoordinate*, size_t, ResidualRows&);
  AlignedVector<float> targets_;  // bits x stride
  std::vector<float> weights_;
  AlignedVector<int32_t> decisions_;
};

// Chooses the windows of a level of `bits` for all rows; reads deviations and weights.
void choose_windows(const CodedCoordinate* coordinates, size_t bits, ResidualRows& rows);

// Adds the decoded values of the chosen windows to `coded` and to the products; reads steps.
void add_level(const CodedCoordinate* coordinates, size_t bits, ResidualRows& rows);

// A row after level 64.
struct ResidualStart {
  float product;  // ⟨x, x̂64⟩
  float square;   // ‖x̂64‖²
  float gain;     // ‖x − x̂64‖, x of unit length
};

// The reconstruction of a row by the levels added so far.
struct Decoded {
  float norm;    // ‖x̂‖
  float cosine;  // cos(x, x̂), at least a small positive number
};
// decoded_gain: the gain that the row's gain byte stands for.
Decoded decoded_of(const ResidualStart& start, float decoded_gain, const ResidualRows& rows,
                   size_t row);

// The divisor of a row's scores, which its norm byte codes:
// ‖x̂‖ · (typical_cosine / cos(x, x̂)) ^ cosine_power. The score of a badly coded row has a larger
// error, so such rows reach the top too often; the power compensates for that. The typical cosine
// keeps scores on the scale of cosines.
float divisor_of(const Decoded& decoded, const CodecLevel& level);

// Cosine powers of a trained codec, per level. Larger powers are best on rows like the training
// sample. On other rows 0 is best, most clearly for short codes, because the error in directions
// that training did not see is similar for all rows. These values are a compromise
// (`npm run bench -- recall`: without --base it measures videos that were not trained on; with
// --train and --base of the same rows, rows that were).
constexpr float kCosinePowers[kLevelCount] = {0, 0.15f, 0.2f, 0.25f};

// Smallest gain: y would be undefined for a gain of 0.
constexpr float kLeastGain = 1e-6f;

// The gain byte whose gain is nearest; `gains` has kGains ascending values.
uint8_t nearest_gain(const float* gains, float gain);

}  // namespace corvid

#endif  // CORVID_CODEC_ENCODE_RESIDUAL_H_
