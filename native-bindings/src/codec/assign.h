// The lists nearest to an embedding, for training and encoding: all dimensions are compared, in
// bytes, of those that a tree over projected centers finds.
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
  // Deterministic, whatever the number of threads.
  ListAssigner(const ListCentersView& view, size_t threads);

  // Lists that candidates() gives for a row: kCandidateLists, or all if there are fewer.
  size_t candidate_count() const { return candidate_count_; }

  // For each of the rows first .. first + count the candidate_count() lists that are nearest,
  // nearest first, and ⟨x, µ + c⟩ with each: count x candidate_count() of both. Of 1,000 rows about
  // one misses the list that a search through all would find, and a row's result depends on that
  // row alone. Fastest with some thousands of rows at once.
  void candidates(const ByteRows& rows, size_t first, size_t count, uint32_t* lists,
                  float* products) const;

 private:
  // A center as its rows are compared with it: c ≈ scale * bytes.
  struct Center {
    float scale;
    int32_t byte_sum;    // of the bytes
    float mean_product;  // ⟨µ, µ + c⟩
    float half_norm;     // ‖µ + c‖² / 2
  };

  void write_center(uint32_t list, float* out) const;
  void fetch(const uint32_t* shortlist) const;
  void compare(const ByteRows& rows, size_t row, const uint32_t* shortlist, uint32_t* lists,
               float* products) const;

  ListCentersView view_;
  size_t candidate_count_;
  size_t shortlist_count_;
  std::vector<Center> centers_;
  std::vector<int8_t> center_bytes_;  // lists x dims
  // Null where so few lists are there that all are compared.
  std::unique_ptr<Projector> projector_;
  std::unique_ptr<ListTree> tree_;
};

}  // namespace corvid

#endif  // CORVID_CODEC_ASSIGN_H_
