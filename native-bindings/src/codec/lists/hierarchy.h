// k-means for very many lists: in two levels, and in reduced dimensions.
//
// The sample is clustered into cells, and each cell into a number of lists in proportion to its
// rows. Some rounds of Lloyd's algorithm over all lists follow, in which a tree finds the nearest
// list of each row. Distances are those between projections onto the principal directions; the
// resulting centers have all dimensions. With n lists, a round costs about √n comparisons per row.
//
// Deterministic for a seed, whatever the number of threads.
#ifndef CORVID_CODEC_LISTS_HIERARCHY_H_
#define CORVID_CODEC_LISTS_HIERARCHY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/progress.h"
#include "codec/lists/byte_sample.h"

namespace corvid {

struct ListCenters {
  size_t dims;
  std::vector<float> mean;     // dims: of the whole sample
  std::vector<float> centers;  // lists x dims: the mean of a list's rows
  std::vector<uint32_t> rows;  // lists: sample rows in each
  std::vector<float> squares;  // lists: sum of the rows' squared distances to the center

  size_t lists() const { return rows.size(); }
};

struct HierarchyOptions {
  size_t lists;  // at most the sample's rows
  uint64_t seed;
  size_t threads;
};

// Throws ERR_ABORTED after progress.cancel().
ListCenters hierarchical_kmeans(const ByteSample& sample, const HierarchyOptions& options,
                                Progress& progress);

}  // namespace corvid

#endif  // CORVID_CODEC_LISTS_HIERARCHY_H_
