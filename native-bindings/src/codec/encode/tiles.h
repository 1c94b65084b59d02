// Cuts the rows of an encoding call into tiles; each tile lies in one group.
#ifndef CORVID_CODEC_ENCODE_TILES_H_
#define CORVID_CODEC_ENCODE_TILES_H_

#include <cstddef>
#include <vector>

namespace corvid {

// Rows of a full tile: their projections stay in the second-level cache.
constexpr size_t kTileRows = 256;

// Bounds of tiles of at most kTileRows consecutive entries with the same `group_at`.
template <typename GroupAt>
std::vector<size_t> cut_tiles(size_t entries, const GroupAt& group_at) {
  std::vector<size_t> bounds{0};
  for (size_t i = 1; i <= entries; ++i) {
    if (i == entries || i - bounds.back() == kTileRows || group_at(i) != group_at(i - 1)) {
      bounds.push_back(i);
    }
  }
  return bounds;
}

}  // namespace corvid

#endif  // CORVID_CODEC_ENCODE_TILES_H_
