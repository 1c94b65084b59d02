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

// An outer group's part of the sections of codec/format/layout.h. Entry 0 stands for level 64 and
// is unused; levels that are not there have no bits.
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

// Columns of a basis: as many coordinates as are worth coding, those of largest variance. A random
// basis has a column for every bit, for it knows nothing of variances.
size_t basis_columns(bool trained, size_t dims, size_t bits);

// Trains all residual levels and writes them to `model`; decoded[level][row] tells what becomes of
// every row. `pooled`: of the directions of all groups. `gains`: of gain bytes.
void train_residual(const ResidualGroupRows& group, const PooledStatistics& pooled,
                    const float* gains, const Progress& progress, const ResidualModel& model,
                    Decoded* const* decoded);

// The same without training: `model.basis` is given, every level codes columns of its own, and all
// of them alike.
void set_plain_residual(const ResidualGroupRows& group, const float* gains,
                        const ResidualModel& model, Decoded* const* decoded);

}  // namespace corvid

#endif  // CORVID_CODEC_TRAIN_RESIDUAL_TRAINING_H_
