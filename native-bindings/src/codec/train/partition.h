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

// Training embeddings, padded to at least 64 dimensions; not owned.
struct Sample {
  const float* data;  // rows x dims
  size_t rows;
  size_t dims;
};

// Lists are numbered so that those of a group are neighbours, as are the groups of an outer group:
// lists that a query probes together tend to lie together on the disk.
struct Partition {
  std::vector<float> mean;             // dims: µ
  std::vector<float> centers;          // lists x dims: µ + c, as a codec stores it
  std::vector<uint32_t> groups;        // of every list
  std::vector<uint32_t> outer_groups;  // of every group
  Grouping rows;                       // training rows by list
  // What set_scales goes by: of every list, how many rows, and the sum of their squared distances
  // to its center.
  std::vector<double> list_rows;
  std::vector<double> list_squares;
};

// Finds the lists among the sample's rows, by k-means.
Partition make_partition(const Sample& sample, const TrainingOptions& options, Progress& progress);

// The same with lists that were found among other rows, of which `found` is emptied.
Partition partition_by(ListCenters& found, const Sample& sample, const TrainingOptions& options,
                       Progress& progress);

}  // namespace corvid

#endif  // CORVID_CODEC_TRAIN_PARTITION_H_
