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

// ⟨z, corner v⟩ of one block for the rows of a vector.
CORVID_INLINE FloatVector product(const FloatVector z[kBlockDirections], const float* const c[],
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
                              FloatVector out[kBlockDirections]) {
  for (size_t d = 0; d < kBlockDirections; ++d) {
    out[d] = load(z + (j * kBlockDirections + d) * stride + lane);
  }
}

void nearest_corners(const Corners& corners, const float* z, size_t stride, uint8_t* codes) {
  for (size_t lane = 0; lane < stride; lane += kWidth) {
    for (size_t j = 0; j < kTables; ++j) {
      const BlockView block = block_of(corners, j);
      FloatVector here[kBlockDirections];
      load_block(z, j, stride, lane, here);
      FloatVector best = FloatVector{} - 1e30f;
      IntVector chosen{};
      for (size_t v = 0; v < kTableEntries; ++v) {
        const FloatVector score = product(here, block.c, v) - 0.5f * block.norms[v];
        const IntVector better = score > best;
        best = better ? score : best;
        chosen = better ? IntVector{} + (int32_t)v : chosen;
      }
      store_bytes(chosen, codes + j * stride + lane);
    }
  }
}

// What each corner of a block would add to a = ⟨x, x̂⟩ and to n = ‖x̂‖² of the rows of
// a vector.
struct Gains {
  FloatVector a[kTableEntries];
  FloatVector n[kTableEntries];
};
CORVID_INLINE void gains_of(const Corners& corners, const CosineSearch& search, size_t j,
                            size_t stride, size_t lane, Gains* gains) {
  const BlockView block = block_of(corners, j);
  FloatVector x[kBlockDirections], base[kBlockDirections];
  load_block(search.x, j, stride, lane, x);
  load_block(search.base, j, stride, lane, base);
  for (size_t v = 0; v < kTableEntries; ++v) {
    gains->a[v] = product(x, block.c, v);
    const FloatVector base_product = product(base, block.c, v);
    gains->n[v] = (base_product + base_product) + block.norms[v];
  }
}

// The sums of those rows, and what the present corner of one block adds to them.
struct CosineSums {
  FloatVector a;
  FloatVector n;
};
CORVID_INLINE CosineSums present_of(const Gains& gains, const IntVector& codes) {
  CosineSums present{};
  for (size_t v = 0; v < kTableEntries; ++v) {
    const IntVector here = codes == (int32_t)v;
    present.a = here ? gains.a[v] : present.a;
    present.n = here ? gains.n[v] : present.n;
  }
  return present;
}

// Chooses a block anew for those rows, given everything else: the corner of largest a·|a|/n,
// which orders as a/√n does. As n > 0, two of them are compared without dividing.
CORVID_INLINE IntVector choose(const Gains& gains, const IntVector& codes, CosineSums* sums) {
  const CosineSums present = present_of(gains, codes);
  const FloatVector a0 = sums->a - present.a;
  const FloatVector n0 = sums->n - present.n;
  FloatVector best_square{};
  IntVector chosen{};
  for (size_t v = 0; v < kTableEntries; ++v) {
    const FloatVector a = a0 + gains.a[v];
    const FloatVector n = n0 + gains.n[v];
    const FloatVector square = a * (a < 0.0f ? -a : a);
    const IntVector better = v == 0 ? IntVector{} - 1 : square * sums->n > best_square * n;
    best_square = better ? square : best_square;
    chosen = better ? IntVector{} + (int32_t)v : chosen;
    sums->a = better ? a : sums->a;
    sums->n = better ? n : sums->n;
  }
  return chosen;
}

// kLanes rows, which go on together for as long as one of them changes.
void improve_lanes(const Corners& corners, const CosineSearch& search, size_t stride, size_t lane,
                   size_t sweeps, uint8_t* codes) {
  alignas(64) Gains gains[kVectors][kTables];
  CosineSums sums[kVectors];
  for (size_t i = 0; i < kVectors; ++i) {
    const size_t at = lane + i * kWidth;
    sums[i] = {load(search.products + at), load(search.norms + at)};
    for (size_t j = 0; j < kTables; ++j) {
      gains_of(corners, search, j, stride, at, &gains[i][j]);
      const CosineSums present = present_of(gains[i][j], load_bytes(codes + j * stride + at));
      sums[i].a += present.a;
      sums[i].n += present.n;
    }
  }
  for (bool any = true; any && sweeps > 0; --sweeps) {
    any = false;
    for (size_t i = 0; i < kVectors; ++i) {
      IntVector changed{};
      CosineSums so_far = sums[i];
      for (size_t j = 0; j < kTables; ++j) {
        uint8_t* here = codes + j * stride + lane + i * kWidth;
        const IntVector before = load_bytes(here);
        const IntVector after = choose(gains[i][j], before, &so_far);
        store_bytes(after, here);
        changed |= after != before;
      }
      sums[i] = so_far;
      for (size_t r = 0; r < kWidth; ++r) any |= changed[r] != 0;
    }
  }
  for (size_t i = 0; i < kVectors; ++i) {
    store(sums[i].a, search.products + lane + i * kWidth);
    store(sums[i].n, search.norms + lane + i * kWidth);
  }
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
    const BlockView block = block_of(corners, j);
    for (size_t v = 0; v < kTableEntries; v += kWidth) {
      const FloatVector value = ((load(block.c[0] + v) * w0 + load(block.c[1] + v) * w1) +
                                 (load(block.c[2] + v) * w2 + load(block.c[3] + v) * w3)) -
                                (load(block.norms + v) * norm_factor - start);
      store_bytes(__builtin_convertvector(value, IntVector), bytes + j * kTableEntries + v);
    }
  }
}

void fill_products(const Corners& corners, const float* w, float* out) {
  for (size_t j = 0; j < kTables; ++j) {
    const BlockView block = block_of(corners, j);
    const float* here = w + j * kBlockDirections;
    for (size_t v = 0; v < kTableEntries; v += kWidth) {
      store((load(block.c[0] + v) * here[0] + load(block.c[1] + v) * here[1]) +
                (load(block.c[2] + v) * here[2] + load(block.c[3] + v) * here[3]),
            out + j * kTableEntries + v);
    }
  }
}

void fill_norms(const Corners& corners, const int8_t* projection, float scale, float twice,
                float* out) {
  for (size_t j = 0; j < kTables; ++j) {
    const BlockView block = block_of(corners, j);
    for (size_t v = 0; v < kTableEntries; v += kWidth) {
      FloatVector sum{};
      for (size_t d = 0; d < kBlockDirections; ++d) {
        sum += load(block.c[d] + v) * (float)projection[j * kBlockDirections + d];
      }
      store(scale * (scale * load(block.norms + v) + twice * sum), out + j * kTableEntries + v);
    }
  }
}

}  // namespace
}  // namespace corvid

#endif  // CORVID_SIMD_GENERIC_LOOPS_CORNERS_H_
