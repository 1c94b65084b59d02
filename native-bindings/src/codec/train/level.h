// Training of level 64 in one group of lists (docs/internals/codec.md).
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
  float* residuals;  // rows x dims: x − µ − c, divided by the scale of the row's list; training
                     // subtracts the decoded level
  size_t rows;
  size_t dims;
  const float* centers;   // list_count x dims: µ + c of the group's lists
  const float* scales;    // list_count: scales of the group's lists
  const uint32_t* lists;  // rows: the list of each, >= first_list
  size_t first_list;
  size_t list_count;
};

// The output of training: a group's part of the sections of codec/format/layout.h.
struct LevelModel {
  uint8_t* directions;  // 64 vectors in panels
  float* corners;       // 4 x 16 x 16
  float* corner_norms;  // 16 x 16
};

// Rounds of choosing codes and moving corners (`npm run bench -- recall`).
constexpr size_t kTrainingRounds = 10;

// Trains level 64, writes it to `model`, and subtracts the decoded rows from `group.residuals`.
void train_level_64(const GroupRows& group, const PooledStatistics& pooled,
                    const Progress& progress, const LevelModel& model);

// The same without training: `model.directions` is given, and corners are (±λ, ±λ, ±λ, ±λ), with λ
// the mean magnitude of the residuals' projections.
void set_plain_corners(const GroupRows& group, const LevelModel& model);

}  // namespace corvid

#endif  // CORVID_CODEC_TRAIN_LEVEL_H_
