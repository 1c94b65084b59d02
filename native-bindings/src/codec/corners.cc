#include "codec/corners.h"

#include "codec/layout.h"
#include "codec/wide.h"

// Vectors are passed between functions below that are always inlined, so no calling convention is
// involved and the warning about one is empty.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace corvid {
namespace {

// Forced inline, so that it takes the instruction set of the function it is used in.
#define CORVID_INLINE static inline __attribute__((always_inline))

CORVID_INLINE FloatLanes load(const float* from) {
  FloatLanes lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}
CORVID_INLINE IntLanes load_codes(const uint8_t* from) {
  IntLanes lanes;
  for (size_t i = 0; i < kLanes; ++i) lanes[i] = from[i];
  return lanes;
}
CORVID_INLINE void store_codes(const IntLanes& lanes, uint8_t* to) {
  for (size_t i = 0; i < kLanes; ++i) to[i] = static_cast<uint8_t>(lanes[i]);
}

// ⟨z, corner v⟩ of one block for sixteen rows.
CORVID_INLINE FloatLanes product(const FloatLanes z[kBlockDirections], const float* const c[],
                                 size_t v) {
  return (z[0] * c[0][v] + z[1] * c[1][v]) + (z[2] * c[2][v] + z[3] * c[3][v]);
}

struct BlockView {
  const float* c[kBlockDirections];  // sixteen coordinates each
  const float* norms;                // sixteen
};
CORVID_INLINE BlockView block_of(const Corners& corners, size_t j) {
  return {{corners.coordinate(0, j), corners.coordinate(1, j), corners.coordinate(2, j),
           corners.coordinate(3, j)},
          corners.squared_norms + j * kCorners};
}
CORVID_INLINE void load_block(const float* z, size_t j, size_t stride, size_t lane,
                              FloatLanes out[kBlockDirections]) {
  for (size_t d = 0; d < kBlockDirections; ++d) {
    out[d] = load(z + (j * kBlockDirections + d) * stride + lane);
  }
}

// The running sums of sixteen rows: a = ⟨x, x̂⟩ and n = ‖x̂‖².
struct Sums {
  FloatLanes a;
  FloatLanes n;
};

// What each corner of block j would add to a and n, and what the present codes do.
struct Gains {
  FloatLanes a[kCorners];
  FloatLanes n[kCorners];
  FloatLanes present_a;
  FloatLanes present_n;
};
CORVID_INLINE void gains_of(const Corners& corners, const CosineSearch& search, size_t j,
                            size_t stride, size_t lane, const IntLanes& codes, Gains* gains) {
  const BlockView block = block_of(corners, j);
  FloatLanes x[kBlockDirections], base[kBlockDirections];
  load_block(search.x, j, stride, lane, x);
  load_block(search.base, j, stride, lane, base);
  gains->present_a = gains->present_n = FloatLanes{};
  for (size_t v = 0; v < kCorners; ++v) {
    gains->a[v] = product(x, block.c, v);
    const FloatLanes base_product = product(base, block.c, v);
    gains->n[v] = (base_product + base_product) + block.norms[v];
    const IntLanes present = codes == static_cast<int32_t>(v);
    gains->present_a = present ? gains->a[v] : gains->present_a;
    gains->present_n = present ? gains->n[v] : gains->present_n;
  }
}

// Chooses block j anew for sixteen rows, given everything else. a·|a|/n orders as a/√n does.
CORVID_INLINE IntLanes choose(const Gains& gains, const IntLanes& codes, Sums* sums) {
  const FloatLanes a0 = sums->a - gains.present_a;
  const FloatLanes n0 = sums->n - gains.present_n;
  FloatLanes best = FloatLanes{} - 1e30f;
  IntLanes chosen = codes;
  for (size_t v = 0; v < kCorners; ++v) {
    const FloatLanes a = a0 + gains.a[v];
    const FloatLanes n = n0 + gains.n[v];
    const FloatLanes magnitude = a < 0.0f ? -a : a;
    const FloatLanes score = a * magnitude / n;
    const IntLanes better = score > best;
    best = better ? score : best;
    chosen = better ? IntLanes{} + static_cast<int32_t>(v) : chosen;
    sums->a = better ? a : sums->a;
    sums->n = better ? n : sums->n;
  }
  return chosen;
}

CORVID_WIDE void improve_lanes(const Corners& corners, const CosineSearch& search, size_t stride,
                               size_t lane, size_t sweeps, uint8_t* codes) {
  Gains gains;
  Sums sums{load(search.products + lane), load(search.norms + lane)};
  for (size_t j = 0; j < corners.blocks; ++j) {
    gains_of(corners, search, j, stride, lane, load_codes(codes + j * stride + lane), &gains);
    sums.a += gains.present_a;
    sums.n += gains.present_n;
  }
  for (size_t sweep = 0; sweep < sweeps; ++sweep) {
    bool changed = false;
    for (size_t j = 0; j < corners.blocks; ++j) {
      uint8_t* own = codes + j * stride + lane;
      const IntLanes before = load_codes(own);
      gains_of(corners, search, j, stride, lane, before, &gains);
      const IntLanes after = choose(gains, before, &sums);
      store_codes(after, own);
      const IntLanes differs = after != before;
      for (size_t i = 0; i < kLanes; ++i) changed |= differs[i] != 0;
    }
    if (!changed) break;
  }
  std::memcpy(search.products + lane, &sums.a, sizeof sums.a);
  std::memcpy(search.norms + lane, &sums.n, sizeof sums.n);
}

CORVID_WIDE void nearest_lanes(const Corners& corners, const float* z, size_t stride, size_t lane,
                               uint8_t* codes) {
  for (size_t j = 0; j < corners.blocks; ++j) {
    const BlockView block = block_of(corners, j);
    FloatLanes own[kBlockDirections];
    load_block(z, j, stride, lane, own);
    FloatLanes best = FloatLanes{} - 1e30f;
    IntLanes chosen{};
    for (size_t v = 0; v < kCorners; ++v) {
      const FloatLanes score = product(own, block.c, v) - 0.5f * block.norms[v];
      const IntLanes better = score > best;
      best = better ? score : best;
      chosen = better ? IntLanes{} + static_cast<int32_t>(v) : chosen;
    }
    store_codes(chosen, codes + j * stride + lane);
  }
}

}  // namespace

void nearest_corners(const Corners& corners, const float* z, size_t stride, uint8_t* codes) {
  for (size_t lane = 0; lane < stride; lane += kLanes) {
    nearest_lanes(corners, z, stride, lane, codes);
  }
}

void improve_cosine(const Corners& corners, const CosineSearch& search, size_t stride,
                    size_t sweeps, uint8_t* codes) {
  for (size_t lane = 0; lane < stride; lane += kLanes) {
    improve_lanes(corners, search, stride, lane, sweeps, codes);
  }
}

void corner_values(const Corners& corners, const uint8_t* codes, size_t stride, float* values) {
  for (size_t j = 0; j < corners.blocks; ++j) {
    const uint8_t* own = codes + j * stride;
    for (size_t d = 0; d < kBlockDirections; ++d) {
      const float* coordinates = corners.coordinate(d, j);
      float* out = values + (j * kBlockDirections + d) * stride;
      for (size_t r = 0; r < stride; ++r) out[r] = coordinates[own[r]];
    }
  }
}

}  // namespace corvid
