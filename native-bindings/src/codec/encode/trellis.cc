#include "codec/encode/trellis.h"

#include "simd/multiversioned.h"

// Vectors are passed between functions below that are always inlined, so no calling convention is
// involved and the warning about one is empty.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace corvid {
namespace {

// A state is the last five bits, the oldest lowest. Windows 2t and 2t + 1 end in state t, and
// window w begins in state w % 32; so states t and t + 16 come from the same two.
constexpr size_t kHalf = kTrellisStates / 2;

// More than any path costs.
constexpr float kNoPath = 1e30f;

struct Branches {
  float values[kTrellisWindows];   // times the unit
  float squares[kTrellisWindows];  // times the weight of the coordinate
};

// The cheaper of two ways into state t, and in `decisions` the window of it.
static inline __attribute__((always_inline)) FloatLanes cheaper(size_t t, const FloatLanes& even,
                                                                const FloatLanes& odd,
                                                                const FloatLanes& slope,
                                                                const Branches& branches,
                                                                IntLanes* decisions) {
  const FloatLanes a = even + (slope * branches.values[2 * t] + branches.squares[2 * t]);
  const FloatLanes b = odd + (slope * branches.values[2 * t + 1] + branches.squares[2 * t + 1]);
  const IntLanes second = b < a;
  *decisions |= second & static_cast<int32_t>(uint32_t{1} << t);
  return second ? b : a;
}

// One coordinate of sixteen rows: costs of all states from those before; bit t of a lane's
// decisions says which window led to state t. As (y − v)² = y² − 2yv + v², the first term may be
// left out.
CORVID_WIDE void step(const float* targets, float weight, Branches* branches,
                      const FloatLanes* before, FloatLanes* after, IntLanes* decisions) {
  FloatLanes slope;
  std::memcpy(&slope, targets, sizeof slope);
  slope *= -2 * weight;
  for (size_t w = 0; w < kTrellisWindows; ++w) {
    branches->squares[w] = weight * (branches->values[w] * branches->values[w]);
  }
  IntLanes chosen{};
  for (size_t t = 0; t < kHalf; ++t) {
    const FloatLanes even = before[2 * t], odd = before[2 * t + 1];
    after[t] = cheaper(t, even, odd, slope, *branches, &chosen);
    after[t + kHalf] = cheaper(t + kHalf, even, odd, slope, *branches, &chosen);
  }
  *decisions = chosen;
}

// Follows the decisions back from the cheapest last state.
CORVID_WIDE void trace(const FloatLanes* costs, const int32_t* decisions, size_t count,
                       size_t stride, uint8_t* windows) {
  FloatLanes least = costs[0];
  IntLanes state{};
  for (size_t t = 1; t < kTrellisStates; ++t) {
    const IntLanes better = costs[t] < least;
    least = better ? costs[t] : least;
    state = better ? IntLanes{} + static_cast<int32_t>(t) : state;
  }
  for (size_t i = count; i-- > 0;) {
    IntLanes chosen;
    std::memcpy(&chosen, decisions + i * kLanes, sizeof chosen);
    const IntLanes window = state + state + (chosen >> state & 1);
    const ByteLanes bytes = __builtin_convertvector(window, ByteLanes);
    std::memcpy(windows + i * stride, &bytes, sizeof bytes);
    state = window & static_cast<int32_t>(kTrellisStates - 1);
  }
}

}  // namespace

void best_windows(const float* targets, const float* weights, size_t count, size_t stride,
                  uint8_t* windows, AlignedVector<int32_t>& scratch) {
  scratch.resize(count * kLanes);
  Branches branches;
  for (size_t w = 0; w < kTrellisWindows; ++w) {
    branches.values[w] = kTrellisUnit * static_cast<float>(kTrellisValues[w]);
  }
  for (size_t lane = 0; lane < stride; lane += kLanes) {
    FloatLanes costs[2][kTrellisStates];
    for (FloatLanes& cost : costs[0]) cost = FloatLanes{} + kNoPath;
    costs[0][0] = FloatLanes{};  // the bits before the first are 0
    for (size_t i = 0; i < count; ++i) {
      IntLanes decisions;
      step(targets + i * stride + lane, weights[i], &branches, costs[i % 2], costs[1 - i % 2],
           &decisions);
      std::memcpy(&scratch[i * kLanes], &decisions, sizeof decisions);
    }
    trace(costs[count % 2], scratch.data(), count, stride, windows + lane);
  }
}

void pack_windows(const uint8_t* windows, size_t count, size_t stride, uint8_t* bytes) {
  for (size_t i = 0; i < count; i += 8, windows += 8 * stride, bytes += stride) {
    for (size_t r = 0; r < stride; ++r) bytes[r] = 0;
    for (size_t bit = 0; bit < 8; ++bit) {
      const uint8_t* own = windows + bit * stride;
      for (size_t r = 0; r < stride; ++r) {
        bytes[r] = static_cast<uint8_t>(bytes[r] | own[r] >> 5 << bit);
      }
    }
  }
}

}  // namespace corvid
