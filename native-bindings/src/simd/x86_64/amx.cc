// The kernels for AMX with int8 (Sapphire Rapids and later): those of AVX-512, except for
// panel_products, which uses tiles.
//
// A panel has the layout of a tile of the second operand: it interleaves sixteen vectors, four
// bytes at a time. So one instruction multiplies a tile of sixteen rows by 64 bytes with one of 64
// bytes by sixteen vectors, and gives 256 sums of 64 products: eight times the throughput of VNNI.
// The results are the same integers.
#include "simd/x86_64/amx.h"

#ifdef CORVID_AMX

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("amx-tile,amx-int8"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("amx-tile,amx-int8")
#endif

#include <immintrin.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace corvid {
namespace {

constexpr size_t kTileRows = 16;
constexpr size_t kTileBytes = 64;  // per row of a tile

// The operand of LDTILECFG.
struct TileShapes {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// Tiles 0 to 3 hold sums, 4 and 5 rows, 6 and 7 panels: tiles 0 and 1 sum the rows of tile 4, tiles
// 2 and 3 those of tile 5. `below` is the number of rows in tile 5. A tile cannot have 0 rows, so
// tile 5 has at least one, and is used only if `below` > 0.
void shape_tiles(size_t rows, size_t below) {
  TileShapes shapes;
  for (size_t tile = 0; tile < 8; ++tile) {
    shapes.row_bytes[tile] = kTileBytes;
    shapes.rows[tile] = kTileRows;
  }
  shapes.rows[0] = shapes.rows[1] = shapes.rows[4] = (uint8_t)rows;
  shapes.rows[2] = shapes.rows[3] = shapes.rows[5] = (uint8_t)(below > 0 ? below : 1);
  _tile_loadconfig(&shapes);
}

// Prefetches the tile that is loaded some steps later. Panels come from the second-level cache or
// beyond, and loading a tile waits for all of its cache lines. Prefetching past the end is
// harmless.
inline void fetch_tile(const int8_t* panel) {
  constexpr size_t kAhead = 4 * kTileRows * kTileBytes;
  for (size_t line = 0; line < kTileRows; ++line) {
    _mm_prefetch((const char*)panel + kAhead + line * kTileBytes, _MM_HINT_T0);
  }
}

// Two panels by 16 rows in tile 4 and those in tile 5.
inline void two_by_two(const uint8_t* rows, size_t depth, const int8_t* panels,
                       const int32_t* start, int32_t* out, size_t stride) {
  // With a stride of 0, all rows of a tile are the same.
  _tile_loadd(0, start, 0);
  _tile_loadd(1, start + kPanelVectors, 0);
  _tile_loadd(2, start, 0);
  _tile_loadd(3, start + kPanelVectors, 0);
  const uint8_t* const below = rows + kTileRows * depth;
  const int8_t* const second = panels + kPanelVectors * depth;
  for (size_t d = 0; d < depth; d += kTileBytes) {
    _tile_loadd(4, rows + d, depth);
    _tile_loadd(6, panels + d * kPanelVectors, kTileBytes);
    _tile_dpbusd(0, 4, 6);
    _tile_loadd(7, second + d * kPanelVectors, kTileBytes);
    _tile_dpbusd(1, 4, 7);
    _tile_loadd(5, below + d, depth);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
    fetch_tile(panels + d * kPanelVectors);
    fetch_tile(second + d * kPanelVectors);
  }
  const size_t bytes = stride * sizeof(int32_t);
  _tile_stored(0, out, bytes);
  _tile_stored(1, out + kPanelVectors, bytes);
  _tile_stored(2, out + kTileRows * stride, bytes);
  _tile_stored(3, out + kTileRows * stride + kPanelVectors, bytes);
}

// Two panels by at most 16 rows.
inline void one_by_two(const uint8_t* rows, size_t depth, const int8_t* panels,
                       const int32_t* start, int32_t* out, size_t stride) {
  _tile_loadd(0, start, 0);
  _tile_loadd(1, start + kPanelVectors, 0);
  const int8_t* const second = panels + kPanelVectors * depth;
  for (size_t d = 0; d < depth; d += kTileBytes) {
    _tile_loadd(4, rows + d, depth);
    _tile_loadd(6, panels + d * kPanelVectors, kTileBytes);
    _tile_loadd(7, second + d * kPanelVectors, kTileBytes);
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
  }
  const size_t bytes = stride * sizeof(int32_t);
  _tile_stored(0, out, bytes);
  _tile_stored(1, out + kPanelVectors, bytes);
}

// One panel by at most 16 rows.
inline void one_by_one(const uint8_t* rows, size_t depth, const int8_t* panel, const int32_t* start,
                       int32_t* out, size_t stride) {
  _tile_loadd(0, start, 0);
  for (size_t d = 0; d < depth; d += kTileBytes) {
    _tile_loadd(4, rows + d, depth);
    _tile_loadd(6, panel + d * kPanelVectors, kTileBytes);
    _tile_dpbusd(0, 4, 6);
  }
  _tile_stored(0, out, stride * sizeof(int32_t));
}

void panel_products(const uint8_t* rows, size_t row_count, size_t depth, const int8_t* panels,
                    size_t panel_count, const int32_t* start, int32_t* out) {
  // Few rows leave most of a tile empty; the tiles also need a depth that is a multiple of 64
  // bytes.
  constexpr size_t kLeastRows = 4;
  if (row_count < kLeastRows || depth % kTileBytes != 0) {
    return kAvx512Kernels.panel_products(rows, row_count, depth, panels, panel_count, start, out);
  }
  const size_t stride = panel_count * kPanelVectors;
  size_t shaped = 0;  // rows that the tiles are shaped for
  for (size_t r = 0; r < row_count; r += 2 * kTileRows) {
    const size_t left = row_count - r;
    const size_t count = left < 2 * kTileRows ? left : 2 * kTileRows;
    if (count != shaped) {
      shape_tiles(count < kTileRows ? count : kTileRows, count > kTileRows ? count - kTileRows : 0);
      shaped = count;
    }
    const uint8_t* const from = rows + r * depth;
    int32_t* const to = out + r * stride;
    size_t p = 0;
    for (; p + 2 <= panel_count; p += 2) {
      const size_t at = p * kPanelVectors;
      if (count > kTileRows) {
        two_by_two(from, depth, panels + at * depth, start + at, to + at, stride);
      } else {
        one_by_two(from, depth, panels + at * depth, start + at, to + at, stride);
      }
    }
    if (p == panel_count) continue;
    const size_t at = p * kPanelVectors;
    for (size_t first = 0; first < count; first += kTileRows) {
      if (first > 0) {
        shape_tiles(count - first, 0);
        shaped = 0;
      }
      one_by_one(from + first * depth, depth, panels + at * depth, start + at,
                 to + first * stride + at, stride);
    }
  }
  // Otherwise the system saves and restores the tiles at every context switch.
  _tile_release();
}

Kernels with_tiles() {
  Kernels kernels = kAvx512Kernels;
  kernels.name = "amx";
  kernels.panel_products = panel_products;
  return kernels;
}

}  // namespace

const Kernels& amx_kernels() {
  static const Kernels kernels = with_tiles();
  return kernels;
}

bool system_allows_amx() {
  // ARCH_REQ_XCOMP_PERM (Linux, asm/prctl.h) for tile data, for all threads of the process.
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  static const bool allowed = syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return allowed;
}

}  // namespace corvid

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif  // CORVID_AMX
