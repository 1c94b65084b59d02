// The lists nearest to an embedding, for encoding: exact among those that a projection to a few
// dimensions finds.
#ifndef CORVID_CODEC_ASSIGN_H_
#define CORVID_CODEC_ASSIGN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/codec.h"

namespace corvid {

// Lists that a row may go to: the encoder takes the one whose code comes nearest.
constexpr size_t kCandidateLists = 4;

class ListAssigner {
 public:
  explicit ListAssigner(const Codec& codec);

  // Lists that candidates() gives for a row: kCandidateLists, or all if there are fewer.
  size_t candidate_count() const { return candidate_count_; }
  // µ + c of a list: padded_dims numbers.
  const float* center(uint32_t list) const { return &centers_[list * dims_]; }

  // For each of the rows (rows x padded_dims) the candidate_count() lists that are nearest, nearest
  // first, and ⟨x, µ + c⟩ with each: rows x candidate_count() of both. Of 1,000 rows about one
  // misses a list that a search through all would find.
  void candidates(const float* x, size_t rows, uint32_t* lists, float* products) const;

 private:
  void shortlist(const float* x, size_t rows, uint32_t* lists) const;

  size_t dims_;
  size_t lists_;
  size_t candidate_count_;
  size_t shortlist_count_;
  size_t coarse_dims_;              // dims_ if nothing is projected
  std::vector<float> centers_;      // lists x dims
  std::vector<float> half_norms_;   // lists: ‖µ + c‖² / 2
  std::vector<float> projection_;   // coarse_dims x dims; empty if nothing is projected
  std::vector<float> coarse_;       // lists x coarse_dims: projected centers
  std::vector<float> coarse_bias_;  // lists: subtracted from ⟨Px, coarse⟩ to rank by distance
};

}  // namespace corvid

#endif  // CORVID_CODEC_ASSIGN_H_
