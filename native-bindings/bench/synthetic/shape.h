// The parameters of the synthetic collection. They are fitted to statistics of real CLIP image
// embeddings: length of the mean, spectra of variances, quantiles of the cosines of pairs and of
// neighbours, local dimension. No embedding, nor any part of one, is contained here.
#ifndef CORVID_BENCH_SYNTHETIC_SHAPE_H_
#define CORVID_BENCH_SYNTHETIC_SHAPE_H_

#include <cstddef>

namespace corvid {

constexpr size_t kSyntheticDims = 512;
constexpr size_t kSyntheticLevels = 12;    // of the tree of topics
constexpr size_t kSyntheticBranches = 16;  // below every node
constexpr size_t kSpectra = 3;             // fine, middle, coarse
constexpr size_t kSpectrumPoints = 11;

// The principal directions (numbered from 0) at which the spectra are given. In between, they are
// interpolated linearly in the logarithms of direction and variance.
constexpr double kSpectrumAt[kSpectrumPoints] = {.5, 1.5, 3, 6, 12, 24, 48, 96, 192, 320, 448};

// One level of the tree: the position of a child is that of its parent plus a Gaussian offset.
struct SyntheticLevel {
  double variance;  // expected squared length of the offset
  size_t spectrum;  // index of the offset's spectrum
  double skew;      // the i-th child's share of the rows is proportional to (i + 1)^-skew
  double
      log_spread;  // sd of the logarithm of a child's tightness, which scales everything below it
};

struct SyntheticShape {
  double mean_squared;  // squared length of the mean, before rows are normalised
  SyntheticLevel levels[kSyntheticLevels];
  // A shot: rows that share the first levels of their paths, like the frames of a video or variants
  // of a picture. Their paths are independent below.
  double shot_mean_rows;
  double shot_size_log_spread;  // sizes are lognormal
  // Levels that a shot's rows share: normal with this mean and sd, rounded, from 1 to all levels.
  double shot_depth;
  double shot_depth_spread;
  double copied_share;      // share of the shots whose rows are copies: they share all levels
  double copied_tightness;  // factor on the last offset of a copy
  double row_variance;      // expected squared length of a row's offset below the last level
  double spectra[kSpectra][kSpectrumPoints];  // relative variances
};

extern const SyntheticShape kClipShape;

}  // namespace corvid

#endif  // CORVID_BENCH_SYNTHETIC_SHAPE_H_
