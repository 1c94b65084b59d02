#include "codec/encode/encode.h"

#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "codec/encode/tiles.h"
#include "codec/lists/kmeans.h"
#include "linalg/matrix.h"
#include "simd/contract.h"

namespace corvid {
namespace {

constexpr size_t kReadRows = 256;

void pack_nibbles(const uint8_t* codes, size_t stride, size_t bytes, uint8_t* to) {
  for (size_t i = 0; i < bytes; ++i) {
    to[i] = static_cast<uint8_t>(codes[2 * i * stride] | codes[(2 * i + 1) * stride] << 4);
  }
}

// vector = (x − mean) / steps, rounded to nearest; fractions: what rounding took off; moves: what
// one step up adds to the radial error.
void round_vector(const float* x, const float* mean, const float* steps, size_t dims,
                  int8_t* vector, float* fractions, float* moves) {
  for (size_t d = 0; d < dims; ++d) {
    const float place = (x[d] - mean[d]) / steps[d];
    const float integer = std::rint(std::min(std::max(place, -127.0f), 127.0f));
    fractions[d] = place - integer;
    moves[d] = steps[d] * x[d];
    vector[d] = static_cast<int8_t>(integer);
  }
}

}  // namespace

// The rows of one call and their trials: trial r * candidates + i encodes row r in its candidate
// list i.
struct Encoder::Batch {
  Batch(size_t rows, const Codec& codec) : x(rows, codec.padded_dims(), codec.mean()) {}

  ByteRows x;
  size_t candidates;
  std::vector<uint32_t> lists;        // per trial
  std::vector<float> products;        // per trial: ⟨x, µ + c⟩, later ⟨x, x̂⟩
  std::vector<float> norms;           // per trial: ‖x̂‖² at level 64
  std::vector<uint8_t> codes;         // per trial: 8 code bytes
  std::vector<ResidualStart> starts;  // per row, in the list chosen
};

// A tile of trials in one group of lists at level 64, as lanes; lanes past `count` hold harmless
// values. Reused from tile to tile, because allocation would cost more than some of the arithmetic.
struct Encoder::Trials {
  const uint32_t* numbers;
  size_t count;
  size_t stride;                   // count rounded up to lanes
  AlignedVector<float> x;          // 64 x stride: Qᵀx / s, s the list's scale
  AlignedVector<float> base;       // 64 x stride: Qᵀ(µ + c) / s
  AlignedVector<float> z;          // 64 x stride: x − base
  AlignedVector<float> inverses;   // stride: 1 / s
  AlignedVector<float> products;   // stride: ⟨x, µ + c⟩ / s², then ⟨x, x̂⟩ / s²
  AlignedVector<float> norms;      // stride: ‖µ + c‖² / s², then ‖x̂‖² / s²
  AlignedVector<uint8_t> codes;    // 16 x stride
  std::vector<uint32_t> rows;      // the distinct rows
  std::vector<uint32_t> places;    // stride: index in `rows` of each trial's row
  AlignedVector<float> projected;  // 64 x the distinct rows, rounded up to lanes
};

Encoder::Encoder(std::shared_ptr<const Codec> codec, size_t threads)
    : codec_(std::move(codec)),
      assigner_({codec_->center_bytes(0), codec_->center_scales(), codec_->mean(), codec_->lists(),
                 codec_->padded_dims()},
                threads),
      directions_(codec_->groups()) {
  parallel_for(codec_->groups(), threads, [&](size_t group, size_t) {
    directions_[group] = Projector(codec_->directions(static_cast<uint32_t>(group)), codec_->mean(),
                                   codec_->padded_dims());
  });
  if (codec_->level_count() > 1) residual_ = std::make_unique<ResidualEncoder>(*codec_, threads);
}

void Encoder::encode(const RawVectors& vectors, size_t threads, const EncodedRows& out) const {
  const size_t rows = vectors.rows;
  Batch batch(rows, *codec_);
  batch.candidates = assigner_.candidate_count();
  const size_t trial_count = rows * batch.candidates;
  batch.lists.resize(trial_count);
  batch.products.resize(trial_count);
  batch.norms.resize(trial_count);
  batch.codes.resize(trial_count * kPlane64Bytes);
  batch.starts.resize(rows);
  parallel_for((rows + kReadRows - 1) / kReadRows, threads, [&](size_t chunk, size_t) {
    const size_t first = chunk * kReadRows, count = std::min(kReadRows, rows - first);
    read_rows(vectors, first, first + count, batch, out.vectors);
  });
  assigner_.candidates(batch.x, threads, batch.lists.data(), batch.products.data());

  // Trials are sorted by group, and within it by row, so that a row is projected once per group.
  std::vector<uint32_t> groups(batch.lists.size());
  for (size_t i = 0; i < groups.size(); ++i) groups[i] = codec_->group_of(batch.lists[i]);
  const Grouping by_group = group_rows(groups.data(), groups.size(), codec_->groups());
  const std::vector<size_t> trial_tiles =
      cut_tiles(groups.size(), [&](size_t i) { return groups[by_group.order[i]]; });
  std::vector<Trials> trials(threads);
  parallel_for(trial_tiles.size() - 1, threads, [&](size_t i, size_t thread) {
    try_lists(batch, &by_group.order[trial_tiles[i]], trial_tiles[i + 1] - trial_tiles[i],
              trials[thread]);
  });
  choose_lists(batch, out);

  if (residual_ != nullptr) {
    residual_->encode({batch.x, out.lists, batch.starts.data(), out.codes}, threads);
  }
}

void Encoder::read_rows(const RawVectors& vectors, size_t first, size_t last, Batch& batch,
                        int8_t* bytes) const {
  const size_t dims = codec_->dims();
  std::vector<float> x(codec_->padded_dims(), 0.0f);
  for (size_t r = first; r < last; ++r) {
    vectors.unit(r, 1, x.data());
    batch.x.set(r, x.data());
    if (bytes != nullptr) write_vector(x.data(), bytes + r * dims);
  }
}

// Encodes trials of one group at level 64.
void Encoder::try_lists(Batch& batch, const uint32_t* numbers, size_t count, Trials& trials) const {
  const size_t stride = round_up_to_lanes(count);
  trials.numbers = numbers;
  trials.count = count;
  trials.stride = stride;
  trials.x.resize(kLevel64Directions * stride);
  trials.base.resize(kLevel64Directions * stride);
  trials.z.resize(kLevel64Directions * stride);
  project_trials(batch, trials);
  trials.products.assign(stride, 0.0f);
  trials.norms.assign(stride, 1.0f);
  for (size_t t = 0; t < count; ++t) {
    const float inverse = trials.inverses[t];
    const ListRecord& record = codec_->list_records()[batch.lists[numbers[t]]];
    trials.products[t] = inverse * inverse * batch.products[numbers[t]];
    trials.norms[t] = inverse * inverse * record.norm_squared;
  }
  const uint32_t group = codec_->group_of(batch.lists[numbers[0]]);
  const Corners corners{codec_->corners(group), codec_->corner_norms(group)};
  const Loops& loops = *kernels().loops;
  trials.codes.resize(kTables * stride);
  loops.nearest_corners(corners, trials.z.data(), stride, trials.codes.data());
  const CosineSearch search{trials.x.data(), trials.base.data(), trials.products.data(),
                            trials.norms.data()};
  loops.improve_cosine(corners, search, stride, kEncodeSweeps, trials.codes.data());
  for (size_t t = 0; t < count; ++t) {
    const float scale = codec_->list_records()[batch.lists[numbers[t]]].residual_scale;
    const float square = scale * scale;
    batch.products[numbers[t]] = square * trials.products[t];
    batch.norms[numbers[t]] = square * trials.norms[t];
    pack_nibbles(&trials.codes[t], stride, kPlane64Bytes, &batch.codes[numbers[t] * kPlane64Bytes]);
  }
}

// Fills inverses, x, base and z; lanes past the trials repeat the last one. Trials of one row are
// consecutive and share its projection.
void Encoder::project_trials(const Batch& batch, Trials& trials) const {
  trials.rows.clear();
  trials.places.resize(trials.stride);
  for (size_t t = 0; t < trials.count; ++t) {
    const auto row = static_cast<uint32_t>(trials.numbers[t] / batch.candidates);
    if (trials.rows.empty() || trials.rows.back() != row) trials.rows.push_back(row);
    trials.places[t] = static_cast<uint32_t>(trials.rows.size() - 1);
  }
  std::fill(trials.places.begin() + trials.count, trials.places.end(),
            trials.places[trials.count - 1]);
  const size_t columns = round_up_to_lanes(trials.rows.size());
  trials.projected.resize(kLevel64Directions * columns);
  directions_[codec_->group_of(batch.lists[trials.numbers[0]])].project_lanes(
      batch.x, trials.rows.data(), trials.rows.size(), trials.projected.data(), columns);
  trials.inverses.resize(trials.stride);
  for (size_t lane = 0; lane < trials.stride; lane += kLanes) {
    TrialBases bases;
    for (size_t i = 0; i < kLanes; ++i) {
      const size_t t = std::min(lane + i, trials.count - 1);
      const ListRecord& record = codec_->list_records()[batch.lists[trials.numbers[t]]];
      trials.inverses[lane + i] = 1 / record.residual_scale;
      bases.projections[i] = record.projection;
      bases.scales[i] = record.projection_scale / record.residual_scale;
    }
    kernels().loops->trial_lanes(
        trials.projected.data(), columns, &trials.places[lane], &trials.inverses[lane], bases,
        {&trials.x[lane], &trials.base[lane], &trials.z[lane]}, trials.stride);
  }
}

// Chooses the trial of largest cosine for every row; a tie goes to the nearer list.
void Encoder::choose_lists(Batch& batch, const EncodedRows& out) const {
  for (size_t r = 0; r < batch.x.rows(); ++r) {
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
    const float left = batch.x.square(r) - 2 * batch.products[best] + batch.norms[best];
    batch.starts[r] = {batch.products[best], batch.norms[best],
                       std::sqrt(std::max(left, kLeastGain * kLeastGain))};
    std::copy_n(&batch.codes[best * kPlane64Bytes], kPlane64Bytes,
                out.codes + r * codec_->row_bytes());
  }
}

// Rounds to nearest, then rounds some components whose fraction is near one half the other way, so
// that the error has almost no component along the embedding itself. The score of an int8 vector is
// not divided by its length, so that component would bias all its scores.
void Encoder::write_vector(const float* x, int8_t* vector) const {
  constexpr float kMovableFraction = 0.4f;
  const size_t dims = codec_->dims();
  const float* steps = codec_->vector_steps();
  thread_local std::vector<float> fractions, moves;
  fractions.resize(dims);
  moves.resize(dims);
  round_vector(x, codec_->mean(), steps, dims, vector, fractions.data(), moves.data());
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

}  // namespace corvid
