// Finds the lists nearest to each embedding, for training and encoding. The result of a row depends
// on that row alone, whatever the number of threads.
#ifndef CORVID_CODEC_LISTS_ASSIGN_H_
#define CORVID_CODEC_LISTS_ASSIGN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "codec/lists/list_tree.h"

namespace corvid {

// Candidate lists of a row: the encoder chooses the one in which the row's code is most accurate.
constexpr size_t kCandidateLists = ListTree::kNearest;

// A view of µ + c of all lists (lists x dims bytes, with a scale per list) and of µ.
struct ListCentersView {
  const int8_t* centers;
  const float* scales;
  const float* mean;
  size_t lists;
  size_t dims;
};

class ListAssigner {
 public:
  // Deterministic, whatever the number of threads. The view is not kept.
  ListAssigner(const ListCentersView& view, size_t threads);

  // Candidates per row: kCandidateLists, or the number of lists if that is smaller.
  size_t candidate_count() const { return candidate_count_; }

  // For each row, centered on the view's mean: its candidate_count() nearest lists, nearest first,
  // and ⟨x, µ + c⟩ of each; rows x candidate_count() of both. The search is approximate: for one
  // row in forty it misses the list that the encoder would choose after an exhaustive search; the
  // list chosen instead is nearly as good. A row's result depends on that row alone. Fastest with
  // tens of thousands of rows per call.
  void candidates(const ByteRows& rows, size_t threads, uint32_t* lists, float* products) const;

 private:
  size_t candidate_count_;
  std::vector<float> lifts_;  // per list: ‖c‖² / 2 + ⟨µ, µ + c⟩
  std::unique_ptr<ListTree> tree_;
};

}  // namespace corvid

#endif  // CORVID_CODEC_LISTS_ASSIGN_H_
