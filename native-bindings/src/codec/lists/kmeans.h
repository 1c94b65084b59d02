// k-means, for the lists of a codec and for the groups of its lists.
//
// Deterministic for a seed, whatever the number of threads: rows are assigned in fixed chunks, and
// a centroid's sum runs over its rows in ascending order.
#ifndef CORVID_CODEC_LISTS_KMEANS_H_
#define CORVID_CODEC_LISTS_KMEANS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/progress.h"
#include "base/random.h"

namespace corvid {

struct KMeansOptions {
  size_t clusters;  // <= rows
  size_t rounds;    // of Lloyd's algorithm
  size_t threads;
  Progress* progress = nullptr;  // advances by rounds x rows; may be null
};

// clusters[r] = the center c nearest to row r: the largest ⟨x, c⟩ − ‖c‖² / 2, the first on a tie.
// x: rows x dims; centers: count x dims.
void assign_nearest(const float* x, size_t rows, size_t dims, const float* centers, size_t count,
                    size_t threads, Progress* progress, uint32_t* clusters);

// Returns the centers, clusters x dims: Lloyd's algorithm, started from distinct random rows. A
// cluster that loses all its rows keeps its center. `weights`: one per row, or null if all are 1.
std::vector<float> kmeans(const float* x, size_t rows, size_t dims, const float* weights,
                          const KMeansOptions& options, Random random);

// Rows sorted by cluster: order[starts[c] .. starts[c + 1]) are those of cluster c, ascending.
// `starts` has count + 1 entries.
struct Grouping {
  std::vector<uint32_t> order;
  std::vector<size_t> starts;
};
Grouping group_rows(const uint32_t* clusters, size_t rows, size_t count);

}  // namespace corvid

#endif  // CORVID_CODEC_LISTS_KMEANS_H_
