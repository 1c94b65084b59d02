// Loops that choose and tabulate the corners of level 64. Included by simd/generic/loops.h.
#ifndef CORVID_SIMD_GENERIC_LOOPS_CORNERS_H_
#define CORVID_SIMD_GENERIC_LOOPS_CORNERS_H_

#include "simd/generic/lanes.h"

namespace corvid {
namespace {

void trial_lanes(const float* projected, size_t columns, const uint32_t* places,
                 const float* inverses, const TrialBases& bases, const TrialLanes& out,
                 size_t stride) {
  for (size_t b = 0; b < kLevel64Directions; ++b) {
    float x[kLanes], base[kLanes];
    for (size_t i = 0; i < kLanes; ++i) x[i] = projected[b * columns + places[i]];
    for (size_t i = 0; i < kLanes; ++i) base[i] = (float)bases.projections[i][b];
    for (size_t i = 0; i < kLanes; ++i) {
      out.x[b * stride + i] = x[i] * inverses[i];
      out.base[b * stride + i] = base[i] * bases.scales[i];
      out.z[b * stride + i] = x[i] * inverses[i] - base[i] * bases.scales[i];
    }
  }
}

// ⟨z, corner v⟩ in one block, for sixteen rows.
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
          corners.squared_norms + j * kTableEntries};
}
CORVID_INLINE void load_block(const float* z, size_t j, size_t stride, size_t lane,
                              FloatLanes out[kBlockDirections]) {
  for (size_t d = 0; d < kBlockDirections; ++d) {
    out[d] = load_lanes(z + (j * kBlockDirections + d) * stride + lane);
  }
}

void nearest_corners(const Corners& corners, const float* z, size_t stride, uint8_t* codes) {
  for (size_t lane = 0; lane < stride; lane += kLanes) {
    for (size_t j = 0; j < kTables; ++j) {
      const BlockView block = block_of(corners, j);
      FloatLanes here[kBlockDirections];
      load_block(z, j, stride, lane, here);
      FloatLanes best = FloatLanes{} - 1e30f;
      IntLanes chosen{};
      for (size_t v = 0; v < kTableEntries; ++v) {
        const FloatLanes score = product(here, block.c, v) - 0.5f * block.norms[v];
        const IntLanes better = score > best;
        best = better ? score : best;
        chosen = better ? IntLanes{} + (int32_t)v : chosen;
      }
      store_codes(chosen, codes + j * stride + lane);
    }
  }
}

// What each corner of a block would add to a = ⟨x, x̂⟩ and to n = ‖x̂‖² of sixteen rows.
struct Gains {
  FloatLanes a[kTableEntries];
  FloatLanes n[kTableEntries];
};
CORVID_INLINE void gains_of(const Corners& corners, const CosineSearch& search, size_t j,
                            size_t stride, size_t lane, Gains* gains) {
  const BlockView block = block_of(corners, j);
  FloatLanes x[kBlockDirections], base[kBlockDirections];
  load_block(search.x, j, stride, lane, x);
  load_block(search.base, j, stride, lane, base);
  for (size_t v = 0; v < kTableEntries; ++v) {
    gains->a[v] = product(x, block.c, v);
    const FloatLanes base_product = product(base, block.c, v);
    gains->n[v] = (base_product + base_product) + block.norms[v];
  }
}

// a and n of sixteen rows, either in total or what one corner contributes.
struct CosineSums {
  FloatLanes a;
  FloatLanes n;
};
CORVID_INLINE CosineSums present_of(const Gains& gains, const IntLanes& codes) {
  CosineSums present{};
  for (size_t v = 0; v < kTableEntries; ++v) {
    const IntLanes here = codes == (int32_t)v;
    present.a = here ? gains.a[v] : present.a;
    present.n = here ? gains.n[v] : present.n;
  }
  return present;
}

// Chooses the corner of one block for sixteen rows, with all other blocks fixed: that of largest
// a·|a|/n, which orders as a/√n does. As n > 0, two candidates are compared without division.
CORVID_INLINE IntLanes choose(const Gains& gains, const IntLanes& codes, CosineSums* sums) {
  const CosineSums present = present_of(gains, codes);
  const FloatLanes a0 = sums->a - present.a;
  const FloatLanes n0 = sums->n - present.n;
  FloatLanes best_square{};
  IntLanes chosen{};
  for (size_t v = 0; v < kTableEntries; ++v) {
    const FloatLanes a = a0 + gains.a[v];
    const FloatLanes n = n0 + gains.n[v];
    const FloatLanes square = a * (a < 0.0f ? -a : a);
    const IntLanes better = v == 0 ? IntLanes{} - 1 : square * sums->n > best_square * n;
    best_square = better ? square : best_square;
    chosen = better ? IntLanes{} + (int32_t)v : chosen;
    sums->a = better ? a : sums->a;
    sums->n = better ? n : sums->n;
  }
  return chosen;
}

void improve_lanes(const Corners& corners, const CosineSearch& search, size_t stride, size_t lane,
                   size_t sweeps, uint8_t* codes) {
  alignas(64) Gains gains[kTables];
  CosineSums sums{load_lanes(search.products + lane), load_lanes(search.norms + lane)};
  for (size_t j = 0; j < kTables; ++j) {
    gains_of(corners, search, j, stride, lane, &gains[j]);
    const CosineSums present = present_of(gains[j], load_codes(codes + j * stride + lane));
    sums.a += present.a;
    sums.n += present.n;
  }
  for (size_t sweep = 0; sweep < sweeps; ++sweep) {
    IntLanes changed{};
    for (size_t j = 0; j < kTables; ++j) {
      uint8_t* here = codes + j * stride + lane;
      const IntLanes before = load_codes(here);
      const IntLanes after = choose(gains[j], before, &sums);
      store_codes(after, here);
      changed |= after != before;
    }
    bool any = false;
    for (size_t i = 0; i < kLanes; ++i) any |= changed[i] != 0;
    if (!any) break;
  }
  store_lanes(sums.a, search.products + lane);
  store_lanes(sums.n, search.norms + lane);
}

void improve_cosine(const Corners& corners, const CosineSearch& search, size_t stride,
                    size_t sweeps, uint8_t* codes) {
  for (size_t lane = 0; lane < stride; lane += kLanes) {
    improve_lanes(corners, search, stride, lane, sweeps, codes);
  }
}

void weigh_directions(const float* q, const int8_t* projection, float scale, float center_weight,
                      float* out) {
  for (size_t i = 0; i < kLevel64Directions; ++i) {
    out[i] = scale * (q[i] - center_weight * (float)projection[i]);
  }
}

// Bounds instead of the exact extremes make the byte tables a few per cent coarser, which costs no
// recall, and save 512 comparisons.
float bound_tables(const TableBounds& bounds, const float* w, float half_weight, float* lows) {
  float sizes[kLevel64Directions], products[kTables];
  for (size_t i = 0; i < kLevel64Directions; ++i) {
    sizes[i] = (w[i] < 0 ? -w[i] : w[i]) * bounds.reach[i];
  }
  for (size_t j = 0; j < kTables; ++j) {
    const float* here = sizes + j * kBlockDirections;
    products[j] = (here[0] + here[1]) + (here[2] + here[3]);
  }
  float ranges[kTables];
  for (size_t j = 0; j < kTables; ++j) {
    lows[j] = -products[j] - half_weight * bounds.largest_norm[j];
    ranges[j] = products[j] - half_weight * bounds.smallest_norm[j] - lows[j];
  }
  float widest = ranges[0];
  for (size_t j = 1; j < kTables; ++j) widest = widest < ranges[j] ? ranges[j] : widest;
  return widest;
}

void fill_byte_tables(const Corners& corners, const float* w, float half_weight, const float* lows,
                      float inverse, uint8_t* bytes) {
  for (size_t j = 0; j < kTables; ++j) {
    const float w0 = w[4 * j] * inverse, w1 = w[4 * j + 1] * inverse;
    const float w2 = w[4 * j + 2] * inverse, w3 = w[4 * j + 3] * inverse;
    const float norm_factor = half_weight * inverse, start = 0.5f - lows[j] * inverse;
    FloatLanes c[kBlockDirections];
    for (size_t d = 0; d < kBlockDirections; ++d) c[d] = load_lanes(corners.coordinate(d, j));
    const FloatLanes norm = load_lanes(corners.squared_norms + j * kTableEntries);
    const FloatLanes value =
        ((c[0] * w0 + c[1] * w1) + (c[2] * w2 + c[3] * w3)) - (norm * norm_factor - start);
    store_codes(__builtin_convertvector(value, IntLanes), bytes + j * kTableEntries);
  }
}

void fill_products(const Corners& corners, const float* w, float* out) {
  for (size_t j = 0; j < kTables; ++j) {
    FloatLanes c[kBlockDirections];
    for (size_t d = 0; d < kBlockDirections; ++d) c[d] = load_lanes(corners.coordinate(d, j));
    const float* here = w + j * kBlockDirections;
    store_lanes((c[0] * here[0] + c[1] * here[1]) + (c[2] * here[2] + c[3] * here[3]),
                out + j * kTableEntries);
  }
}

void fill_norms(const Corners& corners, const int8_t* projection, float scale, float twice,
                float* out) {
  for (size_t j = 0; j < kTables; ++j) {
    FloatLanes sum{};
    for (size_t d = 0; d < kBlockDirections; ++d) {
      sum += load_lanes(corners.coordinate(d, j)) * (float)projection[j * kBlockDirections + d];
    }
    const FloatLanes norm = load_lanes(corners.squared_norms + j * kTableEntries);
    store_lanes(scale * (scale * norm + twice * sum), out + j * kTableEntries);
  }
}

}  // namespace
}  // namespace corvid

#endif  // CORVID_SIMD_GENERIC_LOOPS_CORNERS_H_
