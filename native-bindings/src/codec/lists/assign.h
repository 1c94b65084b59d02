// The lists nearest to an embedding, for training and encoding.
#ifndef CORVID_CODEC_LISTS_ASSIGN_H_
#define CORVID_CODEC_LISTS_ASSIGN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "codec/lists/list_tree.h"

namespace corvid {

// Lists that a row may go to: the encoder takes the one whose code comes nearest.
constexpr size_t kCandidateLists = ListTree::kNearest;

// µ + c of all lists, lists x dims bytes and a scale each, and µ; not owned.
struct ListCentersView {
  const int8_t* centers;
  const float* scales;
  const float* mean;
  size_t lists;
  size_t dims;
};

class ListAssigner {
 public:
  // Deterministic, whatever the number of threads. Nothing of the view is kept.
  ListAssigner(const ListCentersView& view, size_t threads);

  // Lists that candidates() gives for a row: kCandidateLists, or all if there are fewer.
  size_t candidate_count() const { return candidate_count_; }

  // For each row, about the view's mean, the candidate_count() lists that are nearest, nearest
  // first, and ⟨x, µ + c⟩ with each: rows x candidate_count() of both. One row in forty misses a
  // list of the four that a search through all would find and the encoder would take: the one it
  // takes then is nearly as good. A row's result depends on that row alone. Fastest with tens of
  // thousands of rows at once.
  void candidates(const ByteRows& rows, size_t threads, uint32_t* lists, float* products) const;

 private:
  size_t candidate_count_;
  std::vector<float> lifts_;  // of every list: ‖c‖² / 2 + ⟨µ, µ + c⟩
  std::unique_ptr<ListTree> tree_;
};

}  // namespace corvid

#endif  // CORVID_CODEC_LISTS_ASSIGN_H_
