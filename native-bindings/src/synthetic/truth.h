// Exact nearest rows of the synthetic collection to some queries, found while it is generated.
//
// All rows are made and compared with all queries; no row is ever kept. The order is total (cosine
// descending, then row ascending), so blocks may come in any order and threads in any number.
// Cosines are float32 products of gemm: exact but for the last bits of the sums.
#ifndef CORVID_SYNTHETIC_TRUTH_H_
#define CORVID_SYNTHETIC_TRUTH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "generator.h"

namespace corvid {

struct TrueNeighbour {
  float cosine;
  uint64_t row;
};

// The best `count` rows so far of each query.
class TruthTable {
 public:
  TruthTable(size_t queries, size_t count) : count_(count), best_(queries) {}

  size_t queries() const { return best_.size(); }
  // Best first.
  std::vector<TrueNeighbour> sorted(size_t query) const;
  void add(size_t query, TrueNeighbour neighbour);
  // A cosine below this cannot enter any more.
  float threshold(size_t query) const;

 private:
  size_t count_;
  std::vector<std::vector<TrueNeighbour>> best_;  // heaps, the worst at the front
};

// Compares rows first .. first + rows with the `queries` (table.queries() x kSyntheticDims).
void add_rows(const SyntheticGenerator& generator, const float* queries, uint64_t first,
              uint64_t rows, size_t threads, TruthTable& table);

}  // namespace corvid

#endif  // CORVID_SYNTHETIC_TRUTH_H_
