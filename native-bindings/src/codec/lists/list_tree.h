// Finds the lists nearest to a row among very many: a two-level tree over their centers.
//
// k-means divides the centers into cells. A row is compared with all cells, then with the lists of
// the nearest few, by integer products in all dimensions. The search goes cell by cell and compares
// all rows that probe a cell in one pass. So the centers, which fit no cache where they are many,
// are read sequentially and once for many rows.
#ifndef CORVID_CODEC_LISTS_LIST_TREE_H_
#define CORVID_CODEC_LISTS_LIST_TREE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/aligned.h"
#include "codec/format/byte_rows.h"
#include "codec/format/panels.h"
#include "codec/lists/kmeans.h"

namespace corvid {

struct NearList {
  float score;  // ⟨row, point⟩ − ‖point‖² / 2
  uint32_t list;
};

class ListTree {
 public:
  // Writes the point of a list, `dims` floats; called concurrently by several threads.
  using ReadPoint = std::function<void(uint32_t list, float* out)>;

  // Deterministic, whatever the number of threads.
  ListTree(const ReadPoint& read_point, size_t lists, size_t dims, size_t threads);

  // For each row, the kNearest lists of largest score in its `probes` nearest cells, best first,
  // the lower list number first on a tie: rows x kNearest, filled up with kNoList. Rows must be
  // centered on the same mean as the points. Each row's result depends on that row alone; larger
  // batches are faster per row.
  std::vector<NearList> nearest(const ByteRows& rows, size_t probes, size_t threads) const;

  static constexpr size_t kNearest = 4;
  static constexpr uint32_t kNoList = UINT32_MAX;

 private:
  struct Cell {
    Panels points;
    AlignedVector<float> half_norms;  // points.width(); infinite for padding
    std::vector<uint32_t> lists;
  };
  struct Search;
  struct Scratch;

  void fill_cells(const ReadPoint& read_point, size_t lists, size_t threads);
  void choose_cells(const ByteRows& rows, size_t first, size_t last, size_t probes,
                    Scratch& scratch, uint32_t* cells) const;
  void visit_cell(Search& search, const Grouping& visits, size_t c, bool next_too,
                  Scratch& scratch) const;
  void compare(Search& search, const Cell& cell, const uint32_t* visits, size_t count,
               Scratch& scratch) const;

  size_t dims_;
  Panels cell_points_;
  AlignedVector<float> cell_half_norms_;
  std::vector<Cell> cells_;
};

}  // namespace corvid

#endif  // CORVID_CODEC_LISTS_LIST_TREE_H_
