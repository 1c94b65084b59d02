// The lists nearest to an embedding, for training and encoding: exact among those that a tree over
// projected centers finds.
#ifndef CORVID_CODEC_ASSIGN_H_
#define CORVID_CODEC_ASSIGN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "codec/list_tree.h"
#include "codec/projection.h"

namespace corvid {

// Lists that a row may go to: the encoder takes the one whose code comes nearest.
constexpr size_t kCandidateLists = 4;

// µ + c of all lists, lists x dims halves, and µ; not owned.
struct ListCentersView {
  const uint16_t* centers;
  const float* mean;
  size_t lists;
  size_t dims;
};

class ListAssigner {
 public:
  // Deterministic, whatever the number of threads.
  ListAssigner(const ListCentersView& view, size_t threads);

  // Lists that candidates() gives for a row: kCandidateLists, or all if there are fewer.
  size_t candidate_count() const { return candidate_count_; }
  // Writes µ + c of a list: dims numbers.
  void center(uint32_t list, float* out) const;

  // For each of the rows (rows x dims) the candidate_count() lists that are nearest, nearest first,
  // and ⟨x, µ + c⟩ with each: rows x candidate_count() of both. Of 1,000 rows about one misses the
  // list that a search through all would find, and a row's result depends on that row alone.
  // Fastest with some thousands of rows at once.
  void candidates(const float* x, size_t rows, uint32_t* lists, float* products) const;

 private:
  void compare(const float* row, const uint32_t* shortlist, uint32_t* lists, float* products) const;

  ListCentersView view_;
  size_t candidate_count_;
  size_t shortlist_count_;
  std::vector<float> half_norms_;  // lists: ‖µ + c‖² / 2
  // Null where so few lists are there that all are compared.
  std::unique_ptr<Projector> projector_;
  std::unique_ptr<ListTree> tree_;
};

}  // namespace corvid

#endif  // CORVID_CODEC_ASSIGN_H_
