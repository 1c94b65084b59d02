// Exact nearest rows of the synthetic collection to some queries.
//
// All rows are compared with all queries as they are made, and none is kept. The order is total
// (cosine descending, then row ascending), so rows may come in any order and threads in any number.
// Cosines are float32 sums: exact but for their last bits.
//
// Most rows are told from the nearest by integers: a query and a row are rounded to bytes, and
// by Cauchy and Schwarz their product cannot be off by more than the lengths of what rounding took
// (‖x − x̂‖ + ‖x̂‖ · ‖q − q̂‖). Only a row that may be among the nearest is compared in floats.
#ifndef CORVID_BENCH_SYNTHETIC_TRUTH_H_
#define CORVID_BENCH_SYNTHETIC_TRUTH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/format/panels.h"

namespace corvid {

struct TrueNeighbour {
  float cosine;
  uint64_t row;
};

class NearestRows {
 public:
  // queries: count x kSyntheticDims, of unit length. Keeps the `neighbours` nearest of each.
  NearestRows(const float* queries, size_t count, size_t neighbours);

  size_t queries() const { return best_.size(); }
  // Best first.
  std::vector<TrueNeighbour> sorted(size_t query) const;
  // A neighbour that was found before.
  void add(size_t query, TrueNeighbour neighbour);

  // Compares rows first .. first + count, given as halves and brought to unit length here. Each row
  // may be given once.
  void compare(const uint16_t* halves, uint64_t first, size_t count, size_t threads);

 private:
  struct Worker;

  // A cosine below this cannot enter any more.
  float threshold(size_t query) const;
  void compare_share(const uint16_t* halves, uint64_t first, size_t count, Worker& worker) const;

  size_t neighbours_;
  std::vector<float> queries_;
  Panels panels_;
  float query_error_ = 0;                         // the largest ‖q − q̂‖
  std::vector<std::vector<TrueNeighbour>> best_;  // heaps, the worst at the front
};

}  // namespace corvid

#endif  // CORVID_BENCH_SYNTHETIC_TRUTH_H_
