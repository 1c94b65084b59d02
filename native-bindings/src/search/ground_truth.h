// The true nearest rows to some queries, found while the rows of a collection pass by.
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

// The best neighbours of some queries so far: of each query `kept`, by cosine descending, then id
// ascending. The order is total, so rows may be offered in any order, each once.
class NeighbourHeaps {
 public:
  NeighbourHeaps(size_t queries, size_t kept) : kept_(kept), heaps_(queries) {}

  size_t queries() const { return heaps_.size(); }
  size_t kept() const { return kept_; }

  // What has a smaller cosine is not kept; -infinity while fewer than kept() are known.
  float threshold(size_t query) const;
  void offer(size_t query, const Neighbour& neighbour);
  // Best first; fewer than kept() if fewer were offered.
  std::vector<Neighbour> sorted(size_t query) const;

 private:
  size_t kept_;
  std::vector<std::vector<Neighbour>> heaps_;  // the worst at the front
};

// Calls round(first, rows) for rows 0 .. count in rounds that grow. Thresholds are read between
// rounds: before the first nothing is known and every row is kept, so that one is short.
template <typename Round>
void in_growing_rounds(size_t count, const Round& round) {
  size_t rows = 512;
  for (size_t first = 0; first < count; first += rows, rows *= 8) {
    rows = std::min(rows, count - first);
    round(first, rows);
  }
}

// Compares every row that is added with every query by float32 products. A query that is a row of
// the collection is no neighbour of itself: its id is given, or the first row that equals the query
// is taken for it.
class GroundTruth {
 public:
  // queries: count x dims, unit rows; copied. selves: the id of each query, or -1 if it is no row;
  // nullptr if the queries are to be recognised.
  GroundTruth(const float* queries, size_t count, size_t dims, size_t kept, const int64_t* selves);

  // rows: count x dims, unit rows, only read. One call at a time.
  void add(const float* rows, const uint64_t* ids, size_t count, size_t threads);

  const NeighbourHeaps& nearest() const { return nearest_; }
  // Id of the row that is the query itself, or -1 if there is none (yet).
  int64_t self(size_t query) const { return selves_[query]; }

 private:
  void add_round(const float* rows, const uint64_t* ids, size_t count, size_t threads);
  bool is_self(size_t query, const Neighbour& neighbour);

  size_t dims_;
  std::vector<float> queries_;
  NeighbourHeaps nearest_;
  bool recognise_;
  std::vector<int64_t> selves_;
};

}  // namespace corvid

#endif  // CORVID_SEARCH_GROUND_TRUTH_H_
