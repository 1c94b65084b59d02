// Which of very many lists lie near a row: a tree of two levels over their centers.
//
// The centers fall into cells by k-means. A row is compared with all cells, then with the lists of
// the nearest few, by whole-number products of projections to few dimensions. What comes out is a
// shortlist, to be compared exactly by the caller.
#ifndef CORVID_CODEC_LIST_TREE_H_
#define CORVID_CODEC_LIST_TREE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/panels.h"

namespace corvid {

struct TreeSearch {
  size_t probes;     // cells whose lists are looked at
  size_t shortlist;  // lists handed out
};

class ListTree {
 public:
  // points: lists x dims, the projected centers; half_norms: lists, half the squared length of the
  // centers (of all their dimensions). Deterministic, whatever the number of threads.
  ListTree(const float* points, const float* half_norms, size_t lists, size_t dims, size_t threads);

  size_t cells() const { return cells_.size(); }

  // For each of the rows (rows x dims, projected) the `shortlist` lists of largest
  // ⟨row, point⟩ − half_norm that its probes hold, in no order: rows x search.shortlist, filled up
  // with kNoList where there are fewer. The more rows at once, up to some thousands, the faster.
  void nearest(const float* rows, size_t count, const TreeSearch& search, uint32_t* lists) const;

  static constexpr uint32_t kNoList = UINT32_MAX;

 private:
  struct Cell {
    Panels points;
    std::vector<float> half_norms;  // points.width(); infinite for what fills up
    std::vector<uint32_t> lists;
  };
  struct Rows;

  void choose_cells(Rows& rows) const;
  void visit(Rows& rows, size_t first_probe, size_t last_probe) const;
  void visit_cell(Rows& rows, const Cell& cell, const uint32_t* visitors, size_t count) const;

  size_t dims_;
  Panels cell_points_;
  std::vector<float> cell_half_norms_;
  std::vector<Cell> cells_;
};

}  // namespace corvid

#endif  // CORVID_CODEC_LIST_TREE_H_
