// k-means: the lists of a codec, and the groups of its lists.
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
  Progress* progress = nullptr;  // gets rounds x rows units, if there is one
};

// clusters[r] = the c that is nearest to row r: largest ⟨x, c⟩ − ‖c‖² / 2, the first of equals.
// x: rows x dims; centers: count x dims.
void assign_nearest(const float* x, size_t rows, size_t dims, const float* centers, size_t count,
                    size_t threads, Progress* progress, uint32_t* clusters);

// Centers, clusters x dims, from random rows by Lloyd's rounds. A cluster that loses all its rows
// stays where it was. `weights`: of the rows, or null for equal ones.
std::vector<float> kmeans(const float* x, size_t rows, size_t dims, const float* weights,
                          const KMeansOptions& options, Random random);

// Rows in order of their cluster: order[starts[c] .. starts[c + 1]) are those of cluster c,
// ascending. starts has count + 1 numbers.
struct Grouping {
  std::vector<uint32_t> order;
  std::vector<size_t> starts;
};
Grouping group_rows(const uint32_t* clusters, size_t rows, size_t count);

}  // namespace corvid

#endif  // CORVID_CODEC_LISTS_KMEANS_H_
