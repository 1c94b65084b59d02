// Training of the residual levels in one outer group of lists; see codec/encode/residual.h.
#ifndef CORVID_CODEC_TRAIN_RESIDUAL_TRAINING_H_
#define CORVID_CODEC_TRAIN_RESIDUAL_TRAINING_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/progress.h"
#include "codec/encode/residual.h"
#include "codec/format/layout.h"
#include "codec/train/pooled_statistics.h"

namespace corvid {

// An outer group's part of the sections of codec/format/layout.h. Entry 0 is level 64 and unused;
// levels that the codec lacks have 0 bits.
struct ResidualModel {
  size_t columns;
  uint8_t* basis;  // columns vectors in panels
  size_t bits[kLevelCount];
  CodedCoordinate* coordinates[kLevelCount];
};

// The training rows of an outer group.
struct ResidualGroupRows {
  const float* directions;         // rows x dims: (x − x̂64) / gain
  const float* const* embeddings;  // rows: x
  const ResidualStart* starts;     // rows
  size_t rows;
  size_t dims;
};

// Columns of a basis. A trained basis has as many directions as are worth coding, those of largest
// variance; a random one has a column for every bit, because it knows nothing about variances.
size_t basis_columns(bool trained, size_t dims, size_t bits);

// Trains all residual levels, and writes them to `model` and the reconstruction of every row to
// decoded[level][row]. `pooled`: statistics of the directions of all groups. `gains`: the gain of
// each gain byte.
void train_residual(const ResidualGroupRows& group, const PooledStatistics& pooled,
                    const float* gains, const Progress& progress, const ResidualModel& model,
                    Decoded* const* decoded);

// The same without training: `model.basis` is given, every level codes columns that no other level
// codes, and all columns of a level have the same deviation, weight and step.
void set_plain_residual(const ResidualGroupRows& group, const float* gains,
                        const ResidualModel& model, Decoded* const* decoded);

}  // namespace corvid

#endif  // CORVID_CODEC_TRAIN_RESIDUAL_TRAINING_H_
