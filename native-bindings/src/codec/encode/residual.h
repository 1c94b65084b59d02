// What training and encoding share of the longer levels (128, 256, 512 bits).
//
// What level 64 leaves of a row, r = x − x̂, is divided by its length g, the row's gain, and turned
// into coordinates y = Vᵀr / g of the outer group's basis V. Every longer level codes some of them
// with one bit each (Loops::best_windows), and later levels what is left: y ≈ a = Σ step ·
// value. So x̂ of a level is x̂64 + g·V·a. All rows lie as lanes, as in simd/loops.h.
#ifndef CORVID_CODEC_ENCODE_RESIDUAL_H_
#define CORVID_CODEC_ENCODE_RESIDUAL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/aligned.h"
#include "codec/format/layout.h"

namespace corvid {

// Rows of one outer group on their way through the longer levels. Memory is reused.
struct LongerRows {
  size_t stride = 0;           // rows rounded up to lanes
  AlignedVector<float> y;      // columns x stride
  AlignedVector<float> start;  // columns x stride: Vᵀx̂64
  AlignedVector<float> coded;  // columns x stride: a
  // Per row: ⟨y, a⟩, ⟨Vᵀx̂64, a⟩ and ‖a‖².
  AlignedVector<float> y_products;
  AlignedVector<float> start_products;
  AlignedVector<float> squares;
  AlignedVector<uint8_t> windows;  // bits x stride, of the level chosen last

  // Makes room, and starts without any level. y and start must then be filled, all lanes.
  void reset(size_t columns, size_t lanes);

 private:
  friend void choose_windows(const CodedCoordinate*, size_t, LongerRows&);
  AlignedVector<float> targets_;  // bits x stride
  std::vector<float> weights_;
  AlignedVector<int32_t> decisions_;
};

// Chooses the windows of a level of `bits` for all rows; reads deviations and weights.
void choose_windows(const CodedCoordinate* coordinates, size_t bits, LongerRows& rows);

// Adds what the windows of the level stand for to `coded` and to the products; reads steps.
void add_level(const CodedCoordinate* coordinates, size_t bits, LongerRows& rows);

// A row after level 64.
struct LongerStart {
  float product;  // ⟨x, x̂64⟩
  float square;   // ‖x̂64‖²
  float gain;     // ‖x − x̂64‖, x of unit length
};

// What the levels added so far decode a row to.
struct Decoded {
  float norm;    // ‖x̂‖
  float cosine;  // cos(x, x̂), at least a small positive number
};
// decoded_gain: the gain as its byte says it.
Decoded decoded_of(const LongerStart& start, float decoded_gain, const LongerRows& rows,
                   size_t row);

// What a norm byte stands for, and scores are divided by: ‖x̂‖ · (typical_cosine / cos(x, x̂)) to the
// power of cosine_power. The score of a row that is coded badly varies more, so such rows come to
// the top more often than chance would have it; the power sets them back. The typical cosine keeps
// scores what they are: estimates of cosines.
float divisor_of(const Decoded& decoded, const CodecLevel& level);

// Powers for the levels of a trained codec. On rows like those trained on .35 is best for all
// (recall@10 against a power of 0: 128 bits .761 → .773, 512 bits .908 → .912); where they differ,
// 0, the more so the shorter the code, and the error of a random basis is alike everywhere.
constexpr float kCosinePowers[kLevelCount] = {0, 0.15f, 0.2f, 0.25f};

// Lengths that a row may leave: 0 would make y undefined.
constexpr float kLeastGain = 1e-6f;

// The gain byte that comes nearest: `gains` has kGains ascending numbers.
uint8_t nearest_gain(const float* gains, float gain);

}  // namespace corvid

#endif  // CORVID_CODEC_ENCODE_RESIDUAL_H_
