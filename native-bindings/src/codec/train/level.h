// Training of level 64 in one group of lists (ARCHITECTURE.md, "64 bits").
#ifndef CORVID_CODEC_TRAIN_LEVEL_H_
#define CORVID_CODEC_TRAIN_LEVEL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/progress.h"
#include "codec/format/layout.h"
#include "codec/train/pooled_statistics.h"

namespace corvid {

// The training rows of one group.
struct GroupRows {
  float* residuals;  // rows x dims: x − µ − c, divided by the scale of the row's list; what the
                     // level decodes to is taken off
  size_t rows;
  size_t dims;
  const float* centers;   // list_count x dims: µ + c of the group's lists
  const float* scales;    // list_count: of the group's lists
  const uint32_t* lists;  // of each row, from first_list on
  size_t first_list;
  size_t list_count;
};

// Where the model goes: a group's part of the sections of codec/format/layout.h.
struct LevelModel {
  uint8_t* directions;  // 64 vectors in panels
  float* corners;       // 4 x 16 x 16
  float* corner_norms;  // 16 x 16
};

// Rounds of choosing nibbles and moving corners.
constexpr size_t kTrainingRounds = 10;

// Trains level 64, writes it to `model`, and takes what it decodes to off `group.residuals`.
void train_level_64(const GroupRows& group, const Everyone& everyone, const Progress& progress,
                    const LevelModel& model);

// The same without training: plane corners ±λ on directions that are given, `directions` of
// `model` filled; λ is the mean size of a projection of the residuals.
void set_plain_corners(const GroupRows& group, const LevelModel& model);

}  // namespace corvid

#endif  // CORVID_CODEC_TRAIN_LEVEL_H_
