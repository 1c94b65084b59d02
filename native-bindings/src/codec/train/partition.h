// The lists of a codec being trained, and their groups.
#ifndef CORVID_CODEC_TRAIN_PARTITION_H_
#define CORVID_CODEC_TRAIN_PARTITION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/progress.h"
#include "codec/lists/hierarchy.h"
#include "codec/lists/kmeans.h"
#include "codec/train/train.h"

namespace corvid {

// A view of the training embeddings, padded to at least 64 dimensions.
struct Sample {
  const float* data;  // rows x dims
  size_t rows;
  size_t dims;
};

// The lists of a group have consecutive numbers, as have the groups of an outer group, so that
// lists probed by the same query tend to be adjacent on disk.
struct Partition {
  std::vector<float> mean;             // dims: µ
  std::vector<float> centers;          // lists x dims: µ + c, as a codec stores it
  std::vector<uint32_t> groups;        // lists: the group of each
  std::vector<uint32_t> outer_groups;  // groups: the outer group of each
  Grouping rows;                       // training rows by list
  // Per list, for the residual scales: the number of rows, and the sum of their squared distances
  // to the center.
  std::vector<double> list_rows;
  std::vector<double> list_squares;
};

// Finds the lists by k-means over the sample.
Partition make_partition(const Sample& sample, const TrainingOptions& options, Progress& progress);

// The same with lists that were found in another sample. Consumes `found`.
Partition partition_by(ListCenters& found, const Sample& sample, const TrainingOptions& options,
                       Progress& progress);

}  // namespace corvid

#endif  // CORVID_CODEC_TRAIN_PARTITION_H_
