// k-means for very many lists: in two levels, and in few dimensions.
//
// The sample falls into cells, every cell into lists in proportion to its rows, and then all rows
// choose among all lists again, through a tree, for some rounds of Lloyd's algorithm. Distances are
// those between projections to the principal directions; the centers that come out have all
// dimensions. With n lists a round costs about the square root of n comparisons a row.
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
  std::vector<uint32_t> rows;  // of the sample, in each list
  std::vector<float> squares;  // of each list: sum of its rows' squared distances to its center

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
