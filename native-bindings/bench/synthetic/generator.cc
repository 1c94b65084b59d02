// Hashes pick a row's path through the tree; the pools supply the offsets along it.
#include "bench/synthetic/generator.h"

#include <algorithm>
#include <cmath>

#include "bench/synthetic/hash.h"
#include "simd/contract.h"

namespace corvid {
namespace {

constexpr size_t kDims = kSyntheticDims;
constexpr size_t kTermsOfOffset = 3;  // pool rows that are summed for a branch's offset
constexpr size_t kTermsOfRow = 5;     // pool rows that are summed for a row's offset
constexpr size_t kTerms = kSyntheticLevels * kTermsOfOffset + kTermsOfRow;
constexpr size_t kRowsAtOnce = 512;
constexpr size_t kHashBits = 11;  // for the choice of a pool row and its sign
constexpr size_t kBranchEntries = 4096;
constexpr size_t kEntries = 256;
static_assert(kPoolRows == size_t{1} << (kHashBits - 1), "one bit is the sign");
static_assert(kTermsOfRow * kHashBits <= 64, "one hash is enough");

// Keys of independent streams of hashes.
enum Stream : uint64_t { kBasis = 1, kPools, kShuffle, kShots, kTree };

// The quantile function of the standard normal distribution, by bisection. Used only for tables.
double normal_quantile(double probability) {
  double low = -8, high = 8;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

// Quantiles of a lognormal whose mean square is 1.
std::vector<float> tightness_table(double log_spread) {
  std::vector<double> values(kEntries);
  double squares = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double probability = (static_cast<double>(i) + 0.5) / kEntries;
    values[i] = std::exp(log_spread * normal_quantile(probability));
    squares += values[i] * values[i];
  }
  const double scale = 1 / std::sqrt(squares / kEntries);
  std::vector<float> table(values.size());
  for (size_t i = 0; i < values.size(); ++i) table[i] = static_cast<float>(values[i] * scale);
  return table;
}

std::vector<uint8_t> depth_table(double mean, double spread) {
  std::vector<uint8_t> table(kEntries);
  for (size_t i = 0; i < kEntries; ++i) {
    const double probability = (static_cast<double>(i) + 0.5) / kEntries;
    const double depth = std::round(mean + spread * normal_quantile(probability));
    table[i] = static_cast<uint8_t>(std::clamp(depth, 1.0, double{kSyntheticLevels}));
  }
  return table;
}

// Branch i gets a share of the entries in proportion to (i + 1)^-skew, rounded.
std::vector<uint8_t> branch_table(double skew) {
  double sum = 0;
  for (size_t i = 0; i < kSyntheticBranches; ++i) sum += std::pow(i + 1.0, -skew);
  std::vector<uint8_t> table(kBranchEntries);
  double reached = 0;
  size_t entry = 0;
  for (size_t i = 0; i < kSyntheticBranches; ++i) {
    reached += std::pow(i + 1.0, -skew) / sum;
    const size_t end = std::min<size_t>(kBranchEntries, std::lround(reached * kBranchEntries));
    while (entry < end) table[entry++] = static_cast<uint8_t>(i);
  }
  return table;
}

size_t add_terms(const VectorPool& pool, uint64_t hash, size_t count, float weight,
                 WeightedRow* terms) {
  for (size_t i = 0; i < count; ++i) {
    const uint64_t bits = hash >> (i * kHashBits);
    terms[i] = {pool.row(bits % kPoolRows), (bits & kPoolRows) != 0 ? weight : -weight};
  }
  return count;
}

void to_unit_length(float* x) {
  const float factor = 1 / std::sqrt(kernels().dot(x, x, kDims));
  for (size_t d = 0; d < kDims; ++d) x[d] *= factor;
}

}  // namespace

SyntheticGenerator::SyntheticGenerator(const SyntheticShape& shape, uint64_t seed)
    : seed_(mixed(seed + 1)),
      row_weight_(static_cast<float>(std::sqrt(shape.row_variance / kTermsOfRow))),
      shot_depth_(depth_table(shape.shot_depth, shape.shot_depth_spread)),
      copied_below_(static_cast<uint32_t>(shape.copied_share * 65536)),
      copied_tightness_(static_cast<float>(shape.copied_tightness)),
      shots_(static_cast<uint32_t>(kEpochRows / shape.shot_mean_rows)),
      shot_of_(kEpochRows),
      frame_of_(kEpochRows) {
  for (size_t i = 0; i < kSpectra; ++i) {
    pools_.emplace_back(shape.spectra[i], hashed(hashed(seed_, kPools), i), hashed(seed_, kBasis));
  }
  mean_ = pool_vector(shape.spectra[kSpectra - 1], hashed(seed_, kPools), hashed(seed_, kBasis));
  const float scale = static_cast<float>(std::sqrt(shape.mean_squared)) /
                      std::sqrt(kernels().dot(mean_.data(), mean_.data(), kDims));
  for (float& number : mean_) number *= scale;
  for (const SyntheticLevel& level : shape.levels) {
    levels_.push_back({static_cast<float>(std::sqrt(level.variance / kTermsOfOffset)),
                       &pools_[level.spectrum], branch_table(level.skew),
                       tightness_table(level.log_spread)});
  }
  // Every epoch has shots of the same sizes: the quantiles of their distribution.
  std::vector<double> sizes(shots_);
  double total = 0;
  for (size_t i = 0; i < shots_; ++i) {
    const double probability = (static_cast<double>(i) + 0.5) / shots_;
    sizes[i] = std::exp(shape.shot_size_log_spread * normal_quantile(probability));
    total += sizes[i];
  }
  double reached = 0;
  size_t position = 0;
  for (uint32_t i = 0; i < shots_; ++i) {
    reached += sizes[i] / total * kEpochRows;
    const size_t end = i + 1 == shots_ ? kEpochRows : std::lround(reached);
    for (uint16_t frame = 0; position < end; ++frame, ++position) {
      shot_of_[position] = static_cast<uint16_t>(i);
      frame_of_[position] = frame;
    }
  }
}

SyntheticGenerator::Place SyntheticGenerator::place(uint64_t number) const {
  const bool held_out = number >= kFirstHeldOut;
  const uint64_t index = held_out ? number - kFirstHeldOut : number;
  const uint64_t share = held_out ? kHeldOutRows : kCollectedRows;
  const uint64_t epoch = index / share;
  const uint64_t within = index % share + (held_out ? kCollectedRows : 0);
  // A permutation of 16 bits: a Feistel network of four rounds.
  const uint64_t key = hashed(hashed(seed_, kShuffle), epoch);
  uint64_t left = within >> 8, right = within & 255;
  for (uint64_t round = 0; round < 4; ++round) {
    const uint64_t next = left ^ (hashed(key, round << 8 | right) & 255);
    left = right;
    right = next;
  }
  const uint64_t position = left << 8 | right;
  return {epoch * shots_ + shot_of_[position], frame_of_[position]};
}

// Writes the kTerms weighted pool rows whose sum, plus the mean, is the row.
void SyntheticGenerator::terms_of(uint64_t number, WeightedRow* terms) const {
  const auto [shot, frame] = place(number);
  const uint64_t of_shot = hashed(hashed(seed_, kShots), shot);
  const uint64_t of_row = hashed(of_shot, kSyntheticLevels + 1 + frame);
  const uint64_t choices = hashed(of_shot, kSyntheticLevels);
  const bool copied = (choices >> 8) % 65536 < copied_below_;
  const size_t depth = copied ? kSyntheticLevels : shot_depth_[choices % kEntries];
  uint64_t path = hashed(seed_, kTree);
  float tightness = 1;
  for (size_t i = 0; i < kSyntheticLevels; ++i) {
    const Level& level = levels_[i];
    const uint64_t draw = hashed(i < depth ? of_shot : of_row, i);
    path = hashed(path, level.branch[draw % kBranchEntries]);
    terms += add_terms(*level.pool, hashed(path, kSyntheticBranches), kTermsOfOffset,
                       tightness * level.weight, terms);
    tightness *= level.tightness[path % kEntries];
  }
  if (copied) tightness *= copied_tightness_;
  add_terms(pools_[0], hashed(of_row, kSyntheticLevels), kTermsOfRow, tightness * row_weight_,
            terms);
}

// Precondition: count <= kRowsAtOnce.
void SyntheticGenerator::generate(uint64_t first, size_t count, float* out) const {
  // Uninitialised: clearing it would cost as much as filling it.
  const std::unique_ptr<WeightedRow[]> terms(new WeightedRow[count * kTerms]);
  for (size_t i = 0; i < count; ++i) terms_of(first + i, &terms[i * kTerms]);
  kernels().loops->add_weighted_rows(mean_.data(), terms.get(), kTerms, VectorPool::kPartsApart,
                                     count, kSyntheticDims, out);
  for (size_t i = 0; i < count; ++i) to_unit_length(out + i * kDims);
}

void SyntheticGenerator::halves(uint64_t first, size_t count, uint16_t* out) const {
  const std::unique_ptr<float[]> rows(new float[std::min(count, kRowsAtOnce) * kDims]);
  for (size_t done = 0; done < count; done += kRowsAtOnce) {
    const size_t here = std::min(kRowsAtOnce, count - done);
    generate(first + done, here, rows.get());
    kernels().float_to_half(rows.get(), out + done * kDims, here * kDims);
  }
}

void SyntheticGenerator::floats(uint64_t first, size_t count, float* out) const {
  std::vector<uint16_t> half(count * kDims);
  halves(first, count, half.data());
  kernels().half_to_float(half.data(), out, count * kDims);
  for (size_t i = 0; i < count; ++i) to_unit_length(out + i * kDims);
}

}  // namespace corvid
