// AMX with int8 (Sapphire Rapids and onwards): the kernels of AVX-512, and panel_products by tiles.
//
// A panel is laid out as a tile of the second operand: sixteen vectors, four bytes of each after
// one another. So a tile of sixteen rows by 64 bytes and one of 64 bytes by sixteen vectors give,
// in one instruction, 256 sums of 64 products: eight times what VNNI does in the same time. The
// results are the same integers.
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
constexpr size_t kTileBytes = 64;  // of a row of a tile

// What LDTILECFG reads.
struct TileShapes {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// Tiles 0 to 3 hold sums, 4 and 5 rows, 6 and 7 panels: sums of rows 4 are 0 and 1, of rows 5 2 and
// 3. The instructions name their tiles in the code, so `below` (rows in tile 5) only takes part
// where there are any.
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

// Panels come from the second-level cache or beyond, and a tile's load waits for all of its lines:
// so those of some steps on are asked for. Asking past the end of a panel does no harm.
inline void fetch_tile(const int8_t* panel) {
  constexpr size_t kAhead = 4 * kTileRows * kTileBytes;
  for (size_t line = 0; line < kTileRows; ++line) {
    _mm_prefetch((const char*)panel + kAhead + line * kTileBytes, _MM_HINT_T0);
  }
}

// Two panels with 16 rows and some `below`.
inline void two_by_two(const uint8_t* rows, size_t depth, const int8_t* panels,
                       const int32_t* start, int32_t* out, size_t apart) {
  // With a stride of 0 all rows of a tile are the same.
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
  const size_t bytes = apart * sizeof(int32_t);
  _tile_stored(0, out, bytes);
  _tile_stored(1, out + kPanelVectors, bytes);
  _tile_stored(2, out + kTileRows * apart, bytes);
  _tile_stored(3, out + kTileRows * apart + kPanelVectors, bytes);
}

// Two panels with at most 16 rows.
inline void one_by_two(const uint8_t* rows, size_t depth, const int8_t* panels,
                       const int32_t* start, int32_t* out, size_t apart) {
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
  const size_t bytes = apart * sizeof(int32_t);
  _tile_stored(0, out, bytes);
  _tile_stored(1, out + kPanelVectors, bytes);
}

// One panel with at most 16 rows.
inline void one_by_one(const uint8_t* rows, size_t depth, const int8_t* panel, const int32_t* start,
                       int32_t* out, size_t apart) {
  _tile_loadd(0, start, 0);
  for (size_t d = 0; d < depth; d += kTileBytes) {
    _tile_loadd(4, rows + d, depth);
    _tile_loadd(6, panel + d * kPanelVectors, kTileBytes);
    _tile_dpbusd(0, 4, 6);
  }
  _tile_stored(0, out, apart * sizeof(int32_t));
}

void panel_products(const uint8_t* rows, size_t row_count, size_t depth, const int8_t* panels,
                    size_t panel_count, const int32_t* start, int32_t* out) {
  // Few rows would leave most of a tile empty, and a depth that is no whole tile its last one.
  constexpr size_t kLeastRows = 4;
  if (row_count < kLeastRows || depth % kTileBytes != 0) {
    return kAvx512Kernels.panel_products(rows, row_count, depth, panels, panel_count, start, out);
  }
  const size_t apart = panel_count * kPanelVectors;
  size_t shaped = 0;  // rows that the tiles have room for now
  for (size_t r = 0; r < row_count; r += 2 * kTileRows) {
    const size_t left = row_count - r;
    const size_t here = left < 2 * kTileRows ? left : 2 * kTileRows;
    if (here != shaped) {
      shape_tiles(here < kTileRows ? here : kTileRows, here > kTileRows ? here - kTileRows : 0);
      shaped = here;
    }
    const uint8_t* const own = rows + r * depth;
    int32_t* const to = out + r * apart;
    size_t p = 0;
    for (; p + 2 <= panel_count; p += 2) {
      const size_t at = p * kPanelVectors;
      if (here > kTileRows) {
        two_by_two(own, depth, panels + at * depth, start + at, to + at, apart);
      } else {
        one_by_two(own, depth, panels + at * depth, start + at, to + at, apart);
      }
    }
    if (p == panel_count) continue;
    const size_t at = p * kPanelVectors;
    for (size_t first = 0; first < here; first += kTileRows) {
      if (first > 0) {
        shape_tiles(here - first, 0);
        shaped = 0;
      }
      one_by_one(own + first * depth, depth, panels + at * depth, start + at,
                 to + first * apart + at, apart);
    }
  }
  // Else the system would save and restore them at every switch of threads.
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
  // Linux, asm/prctl.h: ARCH_REQ_XCOMP_PERM for the data of tiles, for all threads.
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
