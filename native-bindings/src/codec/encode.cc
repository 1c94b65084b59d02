#include "codec/encode.h"

#include <algorithm>
#include <cmath>

#include "codec/corners.h"
#include "codec/kmeans.h"
#include "codec/level.h"
#include "codec/matrix.h"
#include "codec/wide.h"
#include "kernels.h"
#include "threads.h"

namespace corvid {
namespace {

// Rows of one group that are encoded together: their projections stay in the second-level cache.
constexpr size_t kPieceRows = 128;
constexpr size_t kVectorRows = 1024;

}  // namespace

// Rows of one group on their way through the levels. Lanes past the rows hold harmless numbers.
struct Encoder::Piece {
  const uint32_t* rows;  // numbers of its rows in the batch, by list
  size_t count;
  size_t stride;  // count in whole lanes
  uint32_t group;
  uint32_t outer_group;
  std::vector<uint32_t> lists;      // the different lists of the rows
  std::vector<uint32_t> places;     // of each row: which of `lists`
  std::vector<float> x;             // bits x stride: P
  std::vector<float> approached;    // bits x stride: S, starting as Qᵀ(µ + c)
  std::vector<float> products;      // stride: ⟨x, µ + c⟩
  std::vector<float> norms;         // stride: ‖x̂‖² so far
  std::vector<float> values;        // stride x bits: coordinates of the corners chosen so far
  std::vector<uint8_t> codes;       // bits / 4 x stride
  std::vector<uint8_t> norm_bytes;  // levels x stride
};

Encoder::Encoder(std::shared_ptr<const Codec> codec, size_t threads) : codec_(std::move(codec)) {
  const size_t dims = codec_->padded_dims();
  centers_.resize(codec_->lists() * dims);
  kernels().half_to_float(codec_->list_centers(), centers_.data(), centers_.size());
  for (size_t level = 0; level < codec_->level_count(); ++level) {
    const CodecLevel& shape = codec_->head().levels[level];
    directions_[level].resize(shape.groups);
    parallel_for(shape.groups, threads, [&](size_t group, size_t) {
      std::vector<float> columns(dims * shape.added_bits);
      kernels().half_to_float(codec_->directions(static_cast<uint32_t>(group), level),
                              columns.data(), columns.size());
      directions_[level][group].resize(columns.size());
      transpose(columns.data(), dims, shape.added_bits, shape.added_bits,
                directions_[level][group].data());
    });
  }
  std::vector<uint32_t> outer_groups(codec_->groups());
  for (size_t list = 0; list < codec_->lists(); ++list) {
    const ListRecord& record = codec_->list_records()[list];
    outer_groups[record.group] = record.outer_group;
  }
  for (size_t level = 1; level < codec_->level_count(); ++level) {
    const size_t added = codec_->head().levels[level].added_bits;
    const size_t before = codec_->level_bits(level - 1);
    cross_products_[level].resize(codec_->groups());
    parallel_for(codec_->groups(), threads, [&](size_t group, size_t) {
      std::vector<float>& products = cross_products_[level][group];
      products.resize(added * before);
      const std::vector<float>& own = directions_[level][outer_groups[group]];
      size_t first = 0;
      for (size_t other = 0; other < level; ++other) {
        const size_t bits = codec_->head().levels[other].added_bits;
        const auto& theirs = directions_[other][other == 0 ? group : outer_groups[group]];
        kernels().gemm_nt(added, bits, dims, own.data(), dims, theirs.data(), dims,
                          &products[first], before, false);
        first += bits;
      }
    });
  }
}

void Encoder::encode(const float* embeddings, size_t rows, size_t threads,
                     const EncodedRows& out) const {
  const size_t dims = codec_->padded_dims();
  std::vector<float> padded;
  if (codec_->dims() < dims) {
    padded.resize(rows * dims, 0.0f);
    for (size_t r = 0; r < rows; ++r) {
      std::copy_n(embeddings + r * codec_->dims(), codec_->dims(), &padded[r * dims]);
    }
  }
  const float* x = padded.empty() ? embeddings : padded.data();
  assign_nearest(x, rows, dims, centers_.data(), codec_->lists(), threads, nullptr, out.lists);

  // Lists of a group have neighbouring numbers, so rows in list order are in group order.
  const Grouping by_list = group_rows(out.lists, rows, codec_->lists());
  std::vector<size_t> pieces{0};
  for (size_t i = 1; i <= rows; ++i) {
    const bool ends = i == rows || i - pieces.back() == kPieceRows ||
                      codec_->group_of(out.lists[by_list.order[i]], 0) !=
                          codec_->group_of(out.lists[by_list.order[i - 1]], 0);
    if (ends) pieces.push_back(i);
  }
  parallel_for(pieces.size() - 1, threads, [&](size_t i, size_t) {
    encode_piece(x, &by_list.order[pieces[i]], pieces[i + 1] - pieces[i], out);
  });
  if (out.vectors == nullptr) return;
  parallel_for((rows + kVectorRows - 1) / kVectorRows, threads, [&](size_t chunk, size_t) {
    write_vectors(embeddings, chunk * kVectorRows, std::min(rows, (chunk + 1) * kVectorRows),
                  out.vectors);
  });
}

void Encoder::encode_piece(const float* embeddings, const uint32_t* order, size_t rows,
                           const EncodedRows& out) const {
  const size_t bits = codec_->level_bits(codec_->level_count() - 1);
  Piece piece;
  piece.rows = order;
  piece.count = rows;
  piece.stride = whole_lanes(rows);
  piece.group = codec_->group_of(out.lists[order[0]], 0);
  piece.outer_group = codec_->group_of(out.lists[order[0]], 1);
  for (size_t r = 0; r < rows; ++r) {
    const uint32_t list = out.lists[order[r]];
    if (piece.lists.empty() || piece.lists.back() != list) piece.lists.push_back(list);
    piece.places.push_back(static_cast<uint32_t>(piece.lists.size() - 1));
  }
  piece.x.assign(bits * piece.stride, 0.0f);
  piece.approached.assign(bits * piece.stride, 0.0f);
  piece.products.assign(piece.stride, 0.0f);
  piece.norms.assign(piece.stride, 1.0f);
  piece.values.resize(piece.stride * bits);
  piece.codes.resize(bits / kBlockDirections * piece.stride);
  piece.norm_bytes.resize(codec_->level_count() * piece.stride);
  project(piece, embeddings);
  for (size_t level = 0; level < codec_->level_count(); ++level) encode_level(piece, level);
  write_codes(piece, out);
}

// Fills x, approached, products and norms. One product serves the rows and their lists' centers.
void Encoder::project(Piece& piece, const float* embeddings) const {
  const size_t dims = codec_->padded_dims(), columns = piece.count + piece.lists.size();
  std::vector<float> stacked(columns * dims);
  for (size_t r = 0; r < piece.count; ++r) {
    std::copy_n(embeddings + size_t{piece.rows[r]} * dims, dims, &stacked[r * dims]);
  }
  float* centers = &stacked[piece.count * dims];
  for (size_t i = 0; i < piece.lists.size(); ++i) {
    std::copy_n(&centers_[size_t{piece.lists[i]} * dims], dims, centers + i * dims);
  }
  for (size_t r = 0; r < piece.count; ++r) {
    piece.products[r] = kernels().dot(&stacked[r * dims], centers + piece.places[r] * dims, dims);
    piece.norms[r] = codec_->list_records()[piece.lists[piece.places[r]]].norm_squared;
  }
  std::vector<float> projected;
  size_t first = 0;
  for (size_t level = 0; level < codec_->level_count(); ++level) {
    const size_t added = codec_->head().levels[level].added_bits;
    const auto& directions = directions_[level][level == 0 ? piece.group : piece.outer_group];
    projected.resize(added * columns);
    kernels().gemm_nt(added, columns, dims, directions.data(), dims, stacked.data(), dims,
                      projected.data(), columns, false);
    for (size_t b = 0; b < added; ++b) {
      const float* from = &projected[b * columns];
      float* x = &piece.x[(first + b) * piece.stride];
      float* approached = &piece.approached[(first + b) * piece.stride];
      std::copy_n(from, piece.count, x);
      for (size_t r = 0; r < piece.count; ++r) approached[r] = from[piece.count + piece.places[r]];
    }
    first += added;
  }
}

void Encoder::encode_level(Piece& piece, size_t level) const {
  const size_t stride = piece.stride, added = codec_->head().levels[level].added_bits;
  const size_t before = codec_->level_bits(level) - added, all = piece.values.size() / stride;
  const uint32_t group = level == 0 ? piece.group : piece.outer_group;
  const Corners corners{added / kBlockDirections, codec_->corners(group, level),
                        codec_->corner_norms(group, level)};
  float* approached = &piece.approached[before * stride];
  const float* x = &piece.x[before * stride];
  if (level > 0) {
    kernels().gemm_nt(added, stride, before, cross_products_[level][piece.group].data(), before,
                      piece.values.data(), all, approached, stride, true);
  }
  std::vector<float> z(added * stride);
  for (size_t i = 0; i < z.size(); ++i) z[i] = x[i] - approached[i];
  uint8_t* codes = &piece.codes[before / kBlockDirections * stride];
  nearest_corners(corners, z.data(), stride, codes);
  if (level == 0) {
    const CosineSearch search{x, approached, piece.products.data(), piece.norms.data()};
    improve_cosine(corners, search, stride, kEncodeSweeps, codes);
  }

  std::vector<float>& values = z;  // coordinates of the chosen corners take its place
  corner_values(corners, codes, stride, values.data());
  for (size_t b = 0; b < added; ++b) {
    for (size_t r = 0; r < stride; ++r) {
      const float value = values[b * stride + r];
      piece.norms[r] += value * (value + 2 * approached[b * stride + r]);
      piece.values[r * all + before + b] = value;
    }
  }
  const CodecLevel& shape = codec_->head().levels[level];
  for (size_t r = 0; level > 0 && r < piece.count; ++r) {
    const float norm = std::sqrt(std::max(piece.norms[r], 0.0f));
    const float place = std::rint((norm - shape.norm_low) / shape.norm_step);
    piece.norm_bytes[level * stride + r] =
        static_cast<uint8_t>(std::min(std::max(place, 0.0f), 255.0f));
  }
}

void Encoder::write_codes(const Piece& piece, const EncodedRows& out) const {
  const size_t row_bytes = codec_->row_bytes();
  for (size_t r = 0; r < piece.count; ++r) {
    uint8_t* to = out.codes + size_t{piece.rows[r]} * row_bytes;
    const uint8_t* from = &piece.codes[r];
    for (size_t level = 0; level < codec_->level_count(); ++level) {
      for (size_t i = 0; i < codec_->level_code_bytes(level); ++i) {
        *to++ = static_cast<uint8_t>(from[0] | from[piece.stride] << 4);
        from += 2 * piece.stride;
      }
      if (level > 0) *to++ = piece.norm_bytes[level * piece.stride + r];
    }
  }
}

void Encoder::write_vectors(const float* embeddings, size_t first, size_t last,
                            int8_t* vectors) const {
  const size_t dims = codec_->dims();
  std::vector<float> inverse(dims);
  for (size_t d = 0; d < dims; ++d) inverse[d] = 1 / codec_->vector_steps()[d];
  for (size_t r = first; r < last; ++r) {
    for (size_t d = 0; d < dims; ++d) {
      const float place = (embeddings[r * dims + d] - codec_->mean()[d]) * inverse[d];
      const float bounded = std::min(std::max(place, -127.0f), 127.0f);
      vectors[r * dims + d] = static_cast<int8_t>(std::rint(bounded));
    }
  }
}

}  // namespace corvid
