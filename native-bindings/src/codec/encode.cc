#include "codec/encode.h"

#include <algorithm>
#include <cmath>

#include "codec/corners.h"
#include "codec/kmeans.h"
#include "codec/level.h"
#include "codec/matrix.h"
#include "codec/pieces.h"
#include "codec/wide.h"
#include "kernels.h"
#include "threads.h"

namespace corvid {
namespace {

constexpr size_t kAssignRows = 4096;
constexpr size_t kVectorRows = 1024;

void pack_nibbles(const uint8_t* codes, size_t stride, size_t bytes, uint8_t* to) {
  for (size_t i = 0; i < bytes; ++i) {
    to[i] = static_cast<uint8_t>(codes[2 * i * stride] | codes[(2 * i + 1) * stride] << 4);
  }
}

}  // namespace

// The rows of one call, and their trials: trial r * candidates + i is row r in its i-th list.
struct Encoder::Batch {
  const float* x;  // rows x padded_dims
  size_t rows;
  size_t candidates;
  std::vector<uint32_t> lists;      // per trial
  std::vector<float> products;      // per trial: ⟨x, µ + c⟩, later ⟨x, x̂⟩
  std::vector<float> norms;         // per trial: ‖x̂‖² at level 64
  std::vector<uint8_t> codes;       // per trial: 8 code bytes
  std::vector<LongerStart> starts;  // per row, in the list chosen
};

// Trials of one group of lists at level 64, as lanes; those past the count hold harmless numbers.
// Reused from piece to piece, as allocating would cost more than some of the arithmetic.
struct Encoder::Trials {
  const uint32_t* numbers;
  size_t count;
  size_t stride;                 // count in whole lanes
  std::vector<float> x;          // 64 x stride: Qᵀx / s, s the list's scale
  std::vector<float> base;       // 64 x stride: Qᵀ(µ + c) / s
  std::vector<float> z;          // 64 x stride: x − base
  std::vector<float> scales;     // stride: s
  std::vector<float> products;   // stride: ⟨x, µ + c⟩ / s², then ⟨x, x̂⟩ / s²
  std::vector<float> norms;      // stride: ‖µ + c‖² / s², then ‖x̂‖² / s²
  std::vector<uint8_t> codes;    // 16 x stride
  std::vector<float> rows;       // the different rows, x padded_dims
  std::vector<float> projected;  // 64 x the different rows
  std::vector<uint32_t> places;  // count: which of them a trial is of
};

Encoder::Encoder(std::shared_ptr<const Codec> codec, size_t threads)
    : codec_(std::move(codec)),
      assigner_({codec_->list_centers(), codec_->mean(), codec_->lists(), codec_->padded_dims()},
                threads),
      directions_(codec_->groups()) {
  const size_t dims = codec_->padded_dims();
  parallel_for(codec_->groups(), threads, [&](size_t group, size_t) {
    std::vector<float> columns(dims * kLevel64Directions);
    kernels().half_to_float(codec_->directions(static_cast<uint32_t>(group)), columns.data(),
                            columns.size());
    directions_[group].resize(columns.size());
    transpose(columns.data(), dims, kLevel64Directions, kLevel64Directions,
              directions_[group].data(), dims);
  });
  if (codec_->level_count() > 1) longer_ = std::make_unique<LongerEncoder>(*codec_, threads);
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
  Batch batch;
  batch.x = padded.empty() ? embeddings : padded.data();
  batch.rows = rows;
  batch.candidates = assigner_.candidate_count();
  find_candidates(batch, threads);

  // Trials by group, each row's together, so that a row is projected once per group.
  std::vector<uint32_t> groups(batch.lists.size());
  for (size_t i = 0; i < groups.size(); ++i) groups[i] = codec_->group_of(batch.lists[i]);
  const Grouping by_group = group_rows(groups.data(), groups.size(), codec_->groups());
  const std::vector<size_t> trial_pieces =
      cut_pieces(groups.size(), [&](size_t i) { return groups[by_group.order[i]]; });
  std::vector<Trials> trials(threads);
  parallel_for(trial_pieces.size() - 1, threads, [&](size_t i, size_t thread) {
    try_lists(batch, &by_group.order[trial_pieces[i]], trial_pieces[i + 1] - trial_pieces[i],
              trials[thread]);
  });
  choose_lists(batch, out);

  if (longer_ != nullptr) {
    longer_->encode({batch.x, rows, out.lists, batch.starts.data(), out.codes}, threads);
  }
  if (out.vectors == nullptr) return;
  parallel_for((rows + kVectorRows - 1) / kVectorRows, threads, [&](size_t chunk, size_t) {
    write_vectors(embeddings, chunk * kVectorRows, std::min(rows, (chunk + 1) * kVectorRows),
                  out.vectors);
  });
}

void Encoder::find_candidates(Batch& batch, size_t threads) const {
  const size_t trials = batch.rows * batch.candidates;
  batch.lists.resize(trials);
  batch.products.resize(trials);
  batch.norms.resize(trials);
  batch.codes.resize(trials * kPlane64Bytes);
  batch.starts.resize(batch.rows);
  parallel_for((batch.rows + kAssignRows - 1) / kAssignRows, threads, [&](size_t chunk, size_t) {
    const size_t first = chunk * kAssignRows;
    assigner_.candidates(
        batch.x + first * codec_->padded_dims(), std::min(kAssignRows, batch.rows - first),
        &batch.lists[first * batch.candidates], &batch.products[first * batch.candidates]);
  });
}

// Encodes trials of one group at level 64.
void Encoder::try_lists(Batch& batch, const uint32_t* numbers, size_t count, Trials& trials) const {
  const size_t stride = whole_lanes(count);
  trials.numbers = numbers;
  trials.count = count;
  trials.stride = stride;
  trials.x.assign(kLevel64Directions * stride, 0.0f);
  trials.base.assign(kLevel64Directions * stride, 0.0f);
  project_trials(batch, trials);
  trials.z.resize(trials.x.size());
  for (size_t i = 0; i < trials.z.size(); ++i) trials.z[i] = trials.x[i] - trials.base[i];
  trials.products.assign(stride, 0.0f);
  trials.norms.assign(stride, 1.0f);
  for (size_t t = 0; t < count; ++t) {
    const float inverse = 1 / trials.scales[t];
    const ListRecord& record = codec_->list_records()[batch.lists[numbers[t]]];
    trials.products[t] = inverse * inverse * batch.products[numbers[t]];
    trials.norms[t] = inverse * inverse * record.norm_squared;
  }
  const uint32_t group = codec_->group_of(batch.lists[numbers[0]]);
  const Corners corners{kTables, codec_->corners(group), codec_->corner_norms(group)};
  trials.codes.resize(kTables * stride);
  nearest_corners(corners, trials.z.data(), stride, trials.codes.data());
  const CosineSearch search{trials.x.data(), trials.base.data(), trials.products.data(),
                            trials.norms.data()};
  improve_cosine(corners, search, stride, kEncodeSweeps, trials.codes.data());
  for (size_t t = 0; t < count; ++t) {
    const float square = trials.scales[t] * trials.scales[t];
    batch.products[numbers[t]] = square * trials.products[t];
    batch.norms[numbers[t]] = square * trials.norms[t];
    pack_nibbles(&trials.codes[t], stride, kPlane64Bytes, &batch.codes[numbers[t] * kPlane64Bytes]);
  }
}

// Fills scales, x and base. Trials of one row follow one another, and share its projection.
void Encoder::project_trials(const Batch& batch, Trials& trials) const {
  const size_t dims = codec_->padded_dims();
  trials.rows.clear();
  trials.places.resize(trials.count);
  size_t columns = 0, last_row = SIZE_MAX;
  for (size_t t = 0; t < trials.count; ++t) {
    const size_t row = trials.numbers[t] / batch.candidates;
    if (row != last_row) {
      trials.rows.insert(trials.rows.end(), batch.x + row * dims, batch.x + (row + 1) * dims);
      last_row = row;
      ++columns;
    }
    trials.places[t] = static_cast<uint32_t>(columns - 1);
  }
  const uint32_t group = codec_->group_of(batch.lists[trials.numbers[0]]);
  trials.projected.resize(kLevel64Directions * columns);
  kernels().gemm_nt(kLevel64Directions, columns, dims, directions_[group].data(), dims,
                    trials.rows.data(), dims, trials.projected.data(), columns, false);
  trials.scales.resize(trials.stride);
  for (size_t t = 0; t < trials.count; ++t) {
    const ListRecord& record = codec_->list_records()[batch.lists[trials.numbers[t]]];
    trials.scales[t] = record.residual_scale;
    const float scale = record.projection_scale / record.residual_scale;
    for (size_t b = 0; b < kLevel64Directions; ++b) {
      trials.base[b * trials.stride + t] = scale * static_cast<float>(record.projection[b]);
    }
  }
  for (size_t b = 0; b < kLevel64Directions; ++b) {
    const float* from = &trials.projected[b * columns];
    float* x = &trials.x[b * trials.stride];
    for (size_t t = 0; t < trials.count; ++t) x[t] = from[trials.places[t]] / trials.scales[t];
  }
}

// Takes for every row the trial of largest cosine, the nearer list among equals.
void Encoder::choose_lists(Batch& batch, const EncodedRows& out) const {
  for (size_t r = 0; r < batch.rows; ++r) {
    size_t best = r * batch.candidates;
    float best_score = -2;
    for (size_t t = best; t < (r + 1) * batch.candidates; ++t) {
      const float score = batch.products[t] / std::sqrt(batch.norms[t]);
      if (score > best_score) {
        best = t;
        best_score = score;
      }
    }
    out.lists[r] = batch.lists[best];
    const float* x = batch.x + r * codec_->padded_dims();
    const float left =
        squared_length(x, codec_->padded_dims()) - 2 * batch.products[best] + batch.norms[best];
    batch.starts[r] = {batch.products[best], batch.norms[best],
                       std::sqrt(std::max(left, kLeastGain * kLeastGain))};
    std::copy_n(&batch.codes[best * kPlane64Bytes], kPlane64Bytes,
                out.codes + r * codec_->row_bytes());
  }
}

// Plain rounding first. Then some numbers whose fraction was near a half go the other way, so that
// the error has next to no part along the embedding itself: the score of a vector is not divided by
// its length, so that part alone would move all its scores (recall@10 .966 → .99).
void Encoder::write_vectors(const float* embeddings, size_t first, size_t last,
                            int8_t* vectors) const {
  constexpr float kMovableFraction = 0.4f;
  const size_t dims = codec_->dims();
  const float* steps = codec_->vector_steps();
  std::vector<float> inverse(dims), fractions(dims), moves(dims);
  for (size_t d = 0; d < dims; ++d) inverse[d] = 1 / steps[d];
  for (size_t r = first; r < last; ++r) {
    const float* x = embeddings + r * dims;
    int8_t* vector = vectors + r * dims;
    for (size_t d = 0; d < dims; ++d) {
      const float place = (x[d] - codec_->mean()[d]) * inverse[d];
      const float whole = std::rint(std::min(std::max(place, -127.0f), 127.0f));
      fractions[d] = place - whole;
      moves[d] = steps[d] * x[d];  // what one step more adds to the radial error
      vector[d] = static_cast<int8_t>(whole);
    }
    float radial = -kernels().dot(fractions.data(), moves.data(), dims);  // ⟨x̂ − x, x⟩
    for (size_t d = 0; d < dims; ++d) {
      if (std::fabs(fractions[d]) <= kMovableFraction || std::abs(vector[d]) == 127) continue;
      const int step = fractions[d] > 0 ? 1 : -1;
      const float moved = radial + static_cast<float>(step) * moves[d];
      if (std::fabs(moved) >= std::fabs(radial)) continue;
      vector[d] = static_cast<int8_t>(vector[d] + step);
      radial = moved;
    }
  }
}

}  // namespace corvid
