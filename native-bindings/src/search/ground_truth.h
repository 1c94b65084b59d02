// The true nearest rows to some queries, found while the rows of a collection pass by.
#ifndef CORVID_SEARCH_GROUND_TRUTH_H_
#define CORVID_SEARCH_GROUND_TRUTH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace corvid {

struct Neighbour {
  float cosine;
  uint64_t id;
};

// Compares every row that is added with every query by float32 products, and keeps the best of
// each: by cosine descending, then id ascending, so that rows may come in blocks of any size. Of
// each query the first row that equals it is the query itself, which is no neighbour.
class ExactNeighbours {
 public:
  // queries: count x dims, unit rows; copied. `kept` neighbours are kept of each.
  ExactNeighbours(const float* queries, size_t count, size_t dims, size_t kept);

  size_t queries() const { return best_.size(); }
  size_t kept() const { return kept_; }

  // rows: count x dims, unit rows, only read. One call at a time.
  void add(const float* rows, const uint64_t* ids, size_t count, size_t threads);

  // Best first; fewer than kept() if fewer rows were added.
  std::vector<Neighbour> sorted(size_t query) const;
  // Id of the row that is the query itself, or -1 if it has not come.
  int64_t self(size_t query) const { return self_[query]; }

 private:
  void offer(size_t query, const Neighbour& neighbour);

  size_t dims_;
  size_t kept_;
  std::vector<float> queries_;
  std::vector<std::vector<Neighbour>> best_;  // heaps, the worst at the front
  std::vector<int64_t> self_;
};

}  // namespace corvid

#endif  // CORVID_SEARCH_GROUND_TRUTH_H_
