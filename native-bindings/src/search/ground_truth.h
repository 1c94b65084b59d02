// The exact nearest neighbours of some queries, by brute force, in one pass over a collection's
// rows.
#ifndef CORVID_SEARCH_GROUND_TRUTH_H_
#define CORVID_SEARCH_GROUND_TRUTH_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace corvid {

struct Neighbour {
  float cosine;
  uint64_t id;
};

// The best `kept` neighbours of each query so far, by cosine descending, then id ascending. The
// order is total, so rows may be offered in any order. Each row may be offered once.
class NeighbourHeaps {
 public:
  NeighbourHeaps(size_t queries, size_t kept) : kept_(kept), heaps_(queries) {}

  size_t queries() const { return heaps_.size(); }
  size_t kept() const { return kept_; }

  // Neighbours with a smaller cosine are not kept; -infinity while there are fewer than kept().
  float threshold(size_t query) const;
  void offer(size_t query, const Neighbour& neighbour);
  // Best first; fewer than kept() if fewer were offered.
  std::vector<Neighbour> sorted(size_t query) const;

 private:
  size_t kept_;
  std::vector<std::vector<Neighbour>> heaps_;  // the worst at the front
};

// Calls round(first, rows) for consecutive ranges of rows [0, count), each eight times as long as
// the one before. Thresholds are updated between rounds. In the first round there are none, so
// every row is kept; that is why it is short.
template <typename Round>
void in_growing_rounds(size_t count, const Round& round) {
  size_t rows = 512;
  for (size_t first = 0; first < count; first += rows, rows *= 8) {
    rows = std::min(rows, count - first);
    round(first, rows);
  }
}

// Compares every added row with every query by float32 products. If a query is itself a row of the
// collection, that row is not its neighbour. Its id is given, or else the first row that equals the
// query is taken for it.
class GroundTruth {
 public:
  // queries: count x dims, unit rows; copied. selves: the id of each query's row, or -1 if it is
  // not a row; null if these rows are to be found.
  GroundTruth(const float* queries, size_t count, size_t dims, size_t kept, const int64_t* selves);

  // rows: count x dims, unit rows. One call at a time.
  void add(const float* rows, const uint64_t* ids, size_t count, size_t threads);

  const NeighbourHeaps& nearest() const { return nearest_; }
  // The id of the query's row, or -1 if there is none (yet).
  int64_t self(size_t query) const { return selves_[query]; }

 private:
  void add_round(const float* rows, const uint64_t* ids, size_t count, size_t threads);
  bool is_self(size_t query, const Neighbour& neighbour);

  size_t dims_;
  std::vector<float> queries_;
  NeighbourHeaps nearest_;
  bool find_selves_;
  std::vector<int64_t> selves_;
};

}  // namespace corvid

#endif  // CORVID_SEARCH_GROUND_TRUTH_H_
