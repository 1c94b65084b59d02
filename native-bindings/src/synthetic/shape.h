// The parameters of the synthetic collection, fitted to statistics of real CLIP image embeddings:
// length of the mean, spectra of variance, quantiles of the cosines of pairs and of neighbours,
// local dimension. Nothing here is, or was copied from, an embedding.
#ifndef CORVID_SYNTHETIC_SHAPE_H_
#define CORVID_SYNTHETIC_SHAPE_H_

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
  // A shot: rows around one place, as frames of a video or copies of a picture are.
  double shot_variance;    // expected squared length of a row's offset from its shot's place
  double shot_log_spread;  // sd of the logarithm of a shot's tightness
  double shot_mean_rows;
  double shot_size_log_spread;                // sizes are lognormal
  double copied_share;                        // of the shots, those whose rows are all but the same
  double copied_tightness;                    // factor on the offsets of their rows
  double spectra[kSpectra][kSpectrumPoints];  // relative variances
};

extern const SyntheticShape kClipShape;

}  // namespace corvid

#endif  // CORVID_SYNTHETIC_SHAPE_H_
