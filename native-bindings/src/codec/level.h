// Training of one level of the code in one group of lists (DESIGN.md, section 2).
#ifndef CORVID_CODEC_LEVEL_H_
#define CORVID_CODEC_LEVEL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/corners.h"
#include "codec/progress.h"

namespace corvid {

// What a group leans on where it has too few rows of its own.
struct Everyone {
  std::vector<float> covariance;  // dims x dims, mean of r rᵀ over all groups
  std::vector<float> sample;      // sample_rows x dims residuals of all groups
  size_t sample_rows;
};

// The rows of one group that a level is trained on.
struct GroupRows {
  float* residuals;  // rows x dims: what the levels before left, divided by the scale of the row's
                     // list; this level's decoding is taken off
  size_t rows;
  size_t dims;
  const float* centers;   // list_count x dims: µ + c of the group's lists
  const float* scales;    // list_count: of the group's lists
  const uint32_t* lists;  // of each row, from first_list on
  size_t first_list;
  size_t list_count;
};

// Where a level's model goes: a group's part of the sections of codec/layout.h.
struct LevelModel {
  uint16_t* directions;  // dims x bits halves
  float* corners;        // 4 x (bits / 4) x 16
  float* corner_norms;   // (bits / 4) x 16
};

// Sweeps of the coordinate search when a row is encoded.
constexpr size_t kEncodeSweeps = 4;

// Rounds of choosing nibbles and moving corners.
constexpr size_t kTrainingRounds = 10;

// Trains a level of `bits` directions, writes it to `model`, and takes what it decodes to off
// `group.residuals`. `cosine`: nibbles are chosen for cos(x, x̂), else for the nearest corners.
void train_level(const GroupRows& group, const Everyone& everyone, size_t bits, bool cosine,
                 const Progress& progress, const LevelModel& model);

// The same without training: plane corners ±λ on directions that are given, `directions` of
// `model` filled; λ is the mean size of a projection of the residuals.
void set_plain_corners(const GroupRows& group, size_t bits, const LevelModel& model);

}  // namespace corvid

#endif  // CORVID_CODEC_LEVEL_H_
