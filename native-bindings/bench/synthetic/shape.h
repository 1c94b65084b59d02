// The parameters of the synthetic collection, fitted to statistics of real CLIP image embeddings:
// length of the mean, spectra of variance, quantiles of the cosines of pairs and of neighbours,
// local dimension. Nothing here is, or was copied from, an embedding.
#ifndef CORVID_BENCH_SYNTHETIC_SHAPE_H_
#define CORVID_BENCH_SYNTHETIC_SHAPE_H_

#include <cstddef>

namespace corvid {

constexpr size_t kSyntheticDims = 512;
constexpr size_t kSyntheticLevels = 12;    // of the tree of topics
constexpr size_t kSyntheticBranches = 16;  // below every node
constexpr size_t kSpectra = 3;             // fine, middle, coarse
constexpr size_t kSpectrumPoints = 11;

// Where the spectra are given: number of the principal direction, from 0. Between, straight lines
// over logarithms of both.
constexpr double kSpectrumAt[kSpectrumPoints] = {.5, 1.5, 3, 6, 12, 24, 48, 96, 192, 320, 448};

// One level of the tree: a child's place is its parent's plus a Gaussian offset.
struct SyntheticLevel {
  double variance;    // expected squared length of the offset
  size_t spectrum;    // which of the spectra its directions follow
  double skew;        // of the shares of the children: the i-th gets (i + 1)^-skew
  double log_spread;  // sd of the logarithm of a child's tightness, which scales all below it
};

struct SyntheticShape {
  double mean_squared;  // squared length of the mean, before rows are made unit length
  SyntheticLevel levels[kSyntheticLevels];
  // A shot: rows that go down the tree together for a while, as frames of a video or variants of a
  // picture do. From where they part, every row goes its own way.
  double shot_mean_rows;
  double shot_size_log_spread;  // sizes are lognormal
  double shot_depth;            // levels that a shot's rows share: normal, rounded,
  double shot_depth_spread;     // from 1 to all
  double copied_share;          // of the shots: their rows share all levels, and are copies
  double copied_tightness;      // factor on what is a copy's own
  double row_variance;  // expected squared length of a row's own offset, below the last level
  double spectra[kSpectra][kSpectrumPoints];  // relative variances
};

extern const SyntheticShape kClipShape;

}  // namespace corvid

#endif  // CORVID_BENCH_SYNTHETIC_SHAPE_H_
