#include "codec/format/corners.h"

#include <vector>

#include "base/aligned.h"
#include "codec/format/layout.h"
#include "simd/multiversioned.h"

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
  ByteLanes bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return __builtin_convertvector(bytes, IntLanes);
}
CORVID_INLINE void store_codes(const IntLanes& lanes, uint8_t* to) {
  const ByteLanes bytes = __builtin_convertvector(lanes, ByteLanes);
  std::memcpy(to, &bytes, sizeof bytes);
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

// What each corner of a block would add to a = ⟨x, x̂⟩ and to n = ‖x̂‖² of sixteen rows.
struct Gains {
  FloatLanes a[kCorners];
  FloatLanes n[kCorners];
};
CORVID_INLINE void gains_of(const Corners& corners, const CosineSearch& search, size_t j,
                            size_t stride, size_t lane, Gains* gains) {
  const BlockView block = block_of(corners, j);
  FloatLanes x[kBlockDirections], base[kBlockDirections];
  load_block(search.x, j, stride, lane, x);
  load_block(search.base, j, stride, lane, base);
  for (size_t v = 0; v < kCorners; ++v) {
    gains->a[v] = product(x, block.c, v);
    const FloatLanes base_product = product(base, block.c, v);
    gains->n[v] = (base_product + base_product) + block.norms[v];
  }
}

// The sums of sixteen rows, and what the present corner of one block adds to them.
struct Sums {
  FloatLanes a;
  FloatLanes n;
};
CORVID_INLINE Sums present_of(const Gains& gains, const IntLanes& codes) {
  Sums present{};
  for (size_t v = 0; v < kCorners; ++v) {
    const IntLanes here = codes == static_cast<int32_t>(v);
    present.a = here ? gains.a[v] : present.a;
    present.n = here ? gains.n[v] : present.n;
  }
  return present;
}

// Chooses a block anew for sixteen rows, given everything else: the corner of largest a·|a|/n,
// which orders as a/√n does. As n > 0, two of them are compared without dividing.
CORVID_INLINE IntLanes choose(const Gains& gains, const IntLanes& codes, Sums* sums) {
  const Sums present = present_of(gains, codes);
  const FloatLanes a0 = sums->a - present.a;
  const FloatLanes n0 = sums->n - present.n;
  FloatLanes best_square{};
  IntLanes chosen{};
  for (size_t v = 0; v < kCorners; ++v) {
    const FloatLanes a = a0 + gains.a[v];
    const FloatLanes n = n0 + gains.n[v];
    const FloatLanes square = a * (a < 0.0f ? -a : a);
    const IntLanes better = v == 0 ? IntLanes{} - 1 : square * sums->n > best_square * n;
    best_square = better ? square : best_square;
    chosen = better ? IntLanes{} + static_cast<int32_t>(v) : chosen;
    sums->a = better ? a : sums->a;
    sums->n = better ? n : sums->n;
  }
  return chosen;
}

// gains: scratch of corners.blocks.
CORVID_WIDE void improve_lanes(const Corners& corners, const CosineSearch& search, size_t stride,
                               size_t lane, size_t sweeps, Gains* gains, uint8_t* codes) {
  Sums sums{load(search.products + lane), load(search.norms + lane)};
  for (size_t j = 0; j < corners.blocks; ++j) {
    gains_of(corners, search, j, stride, lane, &gains[j]);
    const Sums present = present_of(gains[j], load_codes(codes + j * stride + lane));
    sums.a += present.a;
    sums.n += present.n;
  }
  for (size_t sweep = 0; sweep < sweeps; ++sweep) {
    IntLanes changed{};
    for (size_t j = 0; j < corners.blocks; ++j) {
      uint8_t* own = codes + j * stride + lane;
      const IntLanes before = load_codes(own);
      const IntLanes after = choose(gains[j], before, &sums);
      store_codes(after, own);
      changed |= after != before;
    }
    bool any = false;
    for (size_t i = 0; i < kLanes; ++i) any |= changed[i] != 0;
    if (!any) break;
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
  thread_local AlignedVector<Gains> gains;
  gains.resize(corners.blocks);
  for (size_t lane = 0; lane < stride; lane += kLanes) {
    improve_lanes(corners, search, stride, lane, sweeps, gains.data(), codes);
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
