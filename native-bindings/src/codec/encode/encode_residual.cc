#include "codec/encode/encode_residual.h"

#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "codec/encode/tiles.h"
#include "codec/lists/kmeans.h"
#include "linalg/matrix.h"
#include "simd/contract.h"

namespace corvid {
namespace {

constexpr size_t kChunkLists = 256;

// Packs the windows (count x stride) of all lanes into code bytes: bytes[b * stride + r] is byte b
// of row r.
void pack_windows(const uint8_t* windows, size_t count, size_t stride, uint8_t* bytes) {
  for (size_t i = 0; i < count; i += 8, windows += 8 * stride, bytes += stride) {
    for (size_t r = 0; r < stride; ++r) bytes[r] = 0;
    for (size_t bit = 0; bit < 8; ++bit) {
      const uint8_t* bits = windows + bit * stride;
      for (size_t r = 0; r < stride; ++r) {
        bytes[r] = static_cast<uint8_t>(bytes[r] | bits[r] >> 5 << bit);
      }
    }
  }
}

}  // namespace

// A tile of rows of one outer group, sorted by list, as lanes; reused from tile to tile.
struct ResidualEncoder::Tile {
  const uint32_t* rows;  // row numbers in the batch
  size_t count;
  ResidualRows lanes;
  std::vector<uint8_t> corners;       // count x 64: coordinates of the corners of level 64 ...
  std::vector<float> scales;          // count: ... divided by this
  std::vector<uint8_t> fine_corners;  // count x 64: their quantisation error ...
  std::vector<float> fine_scales;     // count: ... divided by this
  std::vector<float> inverses;        // stride: of gains
  std::vector<uint8_t> gain_bytes;    // stride
  std::vector<uint8_t> packed;        // code bytes x stride, of one level
};

ResidualEncoder::ResidualEncoder(const Codec& codec, size_t threads)
    : codec_(codec),
      columns_(codec.head().basis_columns),
      bases_(codec.outer_groups()),
      products_(codec.groups()),
      centers_(codec.lists() * columns_),
      center_scales_(codec.lists()) {
  const size_t dims = codec.padded_dims();
  std::vector<std::vector<float>> bases(bases_.size());
  parallel_for(bases_.size(), threads, [&](size_t group, size_t) {
    const PanelSpan basis = codec.basis(static_cast<uint32_t>(group));
    bases[group] = basis.read_all(dims);
    bases_[group] = Projector(basis, codec.mean(), dims);
  });
  std::vector<uint32_t> outer_groups(codec.groups());
  for (uint32_t list = 0; list < codec.lists(); ++list) {
    outer_groups[codec.group_of(list)] = codec.outer_group_of(list);
  }
  parallel_for(products_.size(), threads, [&](size_t group, size_t) {
    const std::vector<float> directions =
        codec.directions(static_cast<uint32_t>(group)).read_all(dims);
    std::vector<float> products(columns_ * kLevel64Directions);
    kernels().gemm_nt(columns_, kLevel64Directions, dims, bases[outer_groups[group]].data(), dims,
                      directions.data(), dims, products.data(), kLevel64Directions, false);
    products_[group] = Panels(products.data(), columns_, kLevel64Directions);
  });
  // Lists of an outer group are consecutive, so most chunks lie in one.
  parallel_for((codec.lists() + kChunkLists - 1) / kChunkLists, threads, [&](size_t chunk, size_t) {
    const size_t last = std::min(codec.lists(), (chunk + 1) * kChunkLists);
    std::vector<float> centers, projected;
    for (size_t first = chunk * kChunkLists, next; first < last; first = next) {
      const uint32_t group = codec.outer_group_of(static_cast<uint32_t>(first));
      for (next = first; next < last; ++next) {
        if (codec.outer_group_of(static_cast<uint32_t>(next)) != group) break;
      }
      const size_t count = next - first;
      centers.resize(count * dims);
      projected.resize(count * columns_);
      for (size_t i = 0; i < count; ++i) {
        codec.read_center(static_cast<uint32_t>(first + i), &centers[i * dims]);
      }
      kernels().gemm_nt(count, columns_, dims, centers.data(), dims, bases[group].data(), dims,
                        projected.data(), columns_, false);
      for (size_t i = 0; i < count; ++i) {
        center_scales_[first + i] =
            quantise(&projected[i * columns_], columns_, &centers_[(first + i) * columns_]);
      }
    }
  });
}

void ResidualEncoder::encode(const ResidualBatch& batch, size_t threads) const {
  // Lists of an outer group are consecutive, so rows in list order are also sorted by outer group.
  const Grouping by_list = group_rows(batch.lists, batch.x.rows(), codec_.lists());
  const std::vector<size_t> tiles = cut_tiles(batch.x.rows(), [&](size_t i) {
    return codec_.outer_group_of(batch.lists[by_list.order[i]]);
  });
  std::vector<Tile> scratch(threads);
  parallel_for(tiles.size() - 1, threads, [&](size_t i, size_t thread) {
    scratch[thread].rows = &by_list.order[tiles[i]];
    scratch[thread].count = tiles[i + 1] - tiles[i];
    encode_tile(batch, scratch[thread]);
  });
}

void ResidualEncoder::encode_tile(const ResidualBatch& batch, Tile& tile) const {
  const uint32_t outer_group = codec_.outer_group_of(batch.lists[tile.rows[0]]);
  tile.lanes.reset(columns_, round_up_to_lanes(tile.count));
  project(batch, tile);
  tile.gain_bytes.resize(tile.count);
  for (size_t r = 0; r < tile.count; ++r) {
    tile.gain_bytes[r] = nearest_gain(codec_.gains(), batch.starts[tile.rows[r]].gain);
  }
  for (size_t level = 1; level < codec_.level_count(); ++level) {
    const CodedCoordinate* coordinates = codec_.coordinates(outer_group, level);
    const size_t bits = codec_.head().levels[level].added_bits;
    choose_windows(coordinates, bits, tile.lanes);
    add_level(coordinates, bits, tile.lanes);
    write_level(batch, level, tile);
  }
}

// Fills y and start.
void ResidualEncoder::project(const ResidualBatch& batch, Tile& tile) const {
  const size_t stride = tile.lanes.stride;
  bases_[codec_.outer_group_of(batch.lists[tile.rows[0]])].project_lanes(
      batch.x, tile.rows, tile.count, tile.lanes.y.data(), stride);
  add_centers(batch, tile);
  add_corners(batch, tile);
  tile.inverses.assign(stride, 0.0f);
  for (size_t r = 0; r < tile.count; ++r) {
    tile.inverses[r] = 1 / batch.starts[tile.rows[r]].gain;
  }
  const Loops& loops = *kernels().loops;
  for (size_t c = 0; c < columns_; ++c) {
    loops.subtract_and_scale(&tile.lanes.start[c * stride], tile.inverses.data(), stride,
                             &tile.lanes.y[c * stride]);
  }
}

// start = Vᵀ(µ + c); lanes past the rows repeat the last row.
void ResidualEncoder::add_centers(const ResidualBatch& batch, Tile& tile) const {
  const size_t stride = tile.lanes.stride;
  for (size_t lane = 0; lane < stride; lane += kLanes) {
    const int8_t* centers[kLanes];
    float scales[kLanes];
    for (size_t i = 0; i < kLanes; ++i) {
      const size_t list = batch.lists[tile.rows[std::min(lane + i, tile.count - 1)]];
      centers[i] = &centers_[list * columns_];
      scales[i] = center_scales_[list];
    }
    kernels().loops->bytes_to_lanes(centers, scales, columns_, &tile.lanes.start[lane], stride);
  }
}

// start += s·VᵀQ·corners, for one run of rows of the same group at a time.
void ResidualEncoder::add_corners(const ResidualBatch& batch, Tile& tile) const {
  tile.corners.resize(tile.count * kLevel64Directions);
  tile.scales.resize(tile.count);
  tile.fine_corners.resize(tile.count * kLevel64Directions);
  tile.fine_scales.resize(tile.count);
  for (size_t r = 0; r < tile.count; ++r) {
    const ListRecord& record = codec_.list_records()[batch.lists[tile.rows[r]]];
    const float* corners = codec_.corners(record.group);
    const uint8_t* code = batch.codes + size_t{tile.rows[r]} * codec_.row_bytes();
    float values[kLevel64Directions];
    for (size_t block = 0; block < kTables; ++block) {
      const size_t corner = code[block / 2] >> (block % 2 * 4) & 15;
      for (size_t d = 0; d < kBlockDirections; ++d) {
        values[block * kBlockDirections + d] = corners[(d * kTables + block) * kCorners + corner];
      }
    }
    // In two parts of seven bits, because the residual levels cannot correct an error in `start`.
    uint8_t* coarse = &tile.corners[r * kLevel64Directions];
    const float scale = quantise_row(values, kLevel64Directions, coarse);
    for (size_t b = 0; b < kLevel64Directions; ++b) {
      values[b] -= scale * static_cast<float>(coarse[b] - kRowByteZero);
    }
    tile.scales[r] = record.residual_scale * scale;
    tile.fine_scales[r] =
        record.residual_scale *
        quantise_row(values, kLevel64Directions, &tile.fine_corners[r * kLevel64Directions]);
  }
  const auto group_at = [&](size_t r) { return codec_.group_of(batch.lists[tile.rows[r]]); };
  for (size_t first = 0, next; first < tile.count; first = next) {
    const uint32_t group = group_at(first);
    for (next = first + 1; next < tile.count && group_at(next) == group;) ++next;
    float* start = &tile.lanes.start[first];
    const size_t from = first * kLevel64Directions, count = next - first;
    products_[group].lanes(&tile.corners[from], &tile.scales[first], count, nullptr, start,
                           tile.lanes.stride);
    products_[group].lanes(&tile.fine_corners[from], &tile.fine_scales[first], count, nullptr,
                           start, tile.lanes.stride);
  }
}

// Writes the records of `level`, which was added last.
void ResidualEncoder::write_level(const ResidualBatch& batch, size_t level, Tile& tile) const {
  const CodecLevel& shape = codec_.head().levels[level];
  const size_t stride = tile.lanes.stride, bytes = shape.added_bits / 8;
  size_t offset = 0;
  for (size_t before = 0; before < level; ++before) {
    offset += plane_stride_bytes(codec_.level_bits(before));
  }
  tile.packed.resize(bytes * stride);
  pack_windows(tile.lanes.windows.data(), shape.added_bits, stride, tile.packed.data());
  for (size_t r = 0; r < tile.count; ++r) {
    uint8_t* to = batch.codes + size_t{tile.rows[r]} * codec_.row_bytes() + offset;
    for (size_t b = 0; b < bytes; ++b) *to++ = tile.packed[b * stride + r];
    if (level == 1) *to++ = tile.gain_bytes[r];
    const Decoded decoded =
        decoded_of(batch.starts[tile.rows[r]], codec_.gains()[tile.gain_bytes[r]], tile.lanes, r);
    const float place = std::rint((divisor_of(decoded, shape) - shape.norm_low) / shape.norm_step);
    *to = static_cast<uint8_t>(std::min(std::max(place, 0.0f), 255.0f));
  }
}

}  // namespace corvid
