#include "codec/lists/list_tree.h"

#include <algorithm>
#include <limits>

#include "base/prefetch.h"
#include "base/threads.h"
#include "linalg/matrix.h"
#include "simd/contract.h"

namespace corvid {
namespace {

constexpr size_t kCellRounds = 8;
// Centers per cell that the cells are trained on, at most.
constexpr size_t kCentersPerCell = 32;
constexpr uint64_t kCellSeed = 1, kCellStream = 48;

// Rows per block of products with a cell's lists.
constexpr size_t kVisitRows = 32;
// Rows of one unit of work of a thread when it chooses cells.
constexpr size_t kChunkRows = 512;
// Lists of one unit of work of a thread when it fills cells.
constexpr size_t kChunkLists = 1024;
// Consecutive cells that one thread visits.
constexpr size_t kRunCells = 8;
// Points of a strip of scores, which is split into kLanes strided runs.
constexpr size_t kStrip = 16 * kLanes;

constexpr float kNothing = -std::numeric_limits<float>::infinity();

bool better(const NearList& a, const NearList& b) {
  return a.score != b.score ? a.score > b.score : a.list < b.list;
}

// Keeps the best `count` of the entries added, best first, in the caller's memory.
class Best {
 public:
  Best(NearList* best, size_t count) : best_(best), count_(count) {
    std::fill_n(best_, count_, NearList{kNothing, ListTree::kNoList});
  }
  float least() const { return best_[count_ - 1].score; }
  void add(const NearList& one) {
    if (!better(one, best_[count_ - 1])) return;
    size_t place = count_ - 1;
    for (; place > 0 && better(one, best_[place - 1]); --place) best_[place] = best_[place - 1];
    best_[place] = one;
  }

 private:
  NearList* best_;
  size_t count_;
};

// Comparing a row with all cells should cost about as much as comparing it with the lists of the
// cells probed. A cell of fewer than four panels is not worth a visit.
size_t cells_for(size_t lists) {
  size_t cells = 1;
  while (cells * cells < 4 * lists && cells * 2 * 4 * kPanelVectors <= lists) cells *= 2;
  return cells;
}

}  // namespace

// State of one call of nearest().
struct ListTree::Search {
  const ByteRows& rows;
  size_t probes;
  std::vector<uint32_t> cells;   // rows x probes
  std::vector<NearList> found;   // rows x probes x kNearest: the result of each visit
  std::vector<Scratch> scratch;  // per thread
};

// Products of a block of rows with all points of a set of panels, and the scores of one row.
struct ListTree::Scratch {
  AlignedVector<uint8_t> rows;
  AlignedVector<int32_t> products;  // per strip kVisitRows x kStrip; the last may be narrower
  AlignedVector<float> scores;
  std::vector<float> largest;  // per strided run

  // Strip by strip: otherwise the results of successive rows could lie a power of two apart, and
  // compete for the same cache sets.
  void multiply(const Panels& points, const uint8_t* bytes, size_t count) {
    products.resize(std::max(products.size(), kVisitRows * (points.width() + kStrip)));
    scores.resize(std::max(scores.size(), points.width()));
    constexpr size_t kStripPanels = kStrip / kPanelVectors;
    for (size_t first = 0; first < points.panels(); first += kStripPanels) {
      points.products_of(first, std::min(kStripPanels, points.panels() - first), bytes, count,
                         &products[first / kStripPanels * kVisitRows * kStrip]);
    }
  }

  // Writes the best `count` points for row i of the block multiplied last, as point numbers. Only
  // runs whose largest score may be among the best are searched score by score.
  void pick(const Panels& points, const AlignedVector<float>& half_norms, size_t i, float scale,
            NearList* best_points, size_t count) {
    const size_t width = points.width(), strips = (width + kStrip - 1) / kStrip;
    largest.resize(strips * kLanes);
    const Loops& loops = *kernels().loops;
    float lane_maxima[kLanes];
    std::fill_n(lane_maxima, kLanes, kNothing);
    for (size_t s = 0; s < strips; ++s) {
      const size_t first = s * kStrip;
      const size_t strip_width = std::min(kStrip, width - first);
      loops.score_products(&products[s * kVisitRows * kStrip + i * strip_width], scale,
                           points.scales() + first, &half_norms[first], strip_width, &scores[first],
                           &largest[s * kLanes]);
      for (size_t lane = 0; lane < kLanes; ++lane) {
        lane_maxima[lane] = std::max(lane_maxima[lane], largest[s * kLanes + lane]);
      }
    }
    // At least `count` lanes hold a score that is no lower, so the best `count` are no lower
    // either.
    const float least_kept = loops.ranked(lane_maxima, count);
    Best best(best_points, count);
    for (size_t run = 0; run < largest.size(); ++run) {
      if (largest[run] < least_kept) continue;
      const size_t first = run / kLanes * kStrip, last = std::min(points.count(), first + kStrip);
      for (size_t v = first + run % kLanes; v < last; v += kLanes) {
        if (scores[v] >= least_kept) best.add({scores[v], static_cast<uint32_t>(v)});
      }
    }
  }
};

ListTree::ListTree(const ReadPoint& read_point, size_t lists, size_t dims, size_t threads)
    : dims_(dims), cells_(cells_for(lists)) {
  const size_t count = cells_.size();
  const size_t used = std::min(lists, count * kCentersPerCell);
  std::vector<float> picked(used * dims);
  parallel_for(used, threads, [&](size_t i, size_t) {
    read_point(static_cast<uint32_t>(lists * i / used), &picked[i * dims]);
  });
  const KMeansOptions options{count, kCellRounds, threads, nullptr};
  const std::vector<float> centers =
      kmeans(picked.data(), used, dims, nullptr, options, Random(kCellSeed, kCellStream));
  cell_points_ = Panels(centers.data(), count, dims);
  cell_half_norms_.assign(cell_points_.width(), -kNothing);
  for (size_t c = 0; c < count; ++c) {
    cell_half_norms_[c] = squared_length(&centers[c * dims], dims) / 2;
  }
  fill_cells(read_point, lists, threads);
}

void ListTree::fill_cells(const ReadPoint& read_point, size_t lists, size_t threads) {
  std::vector<uint32_t> nearest(lists);
  const std::vector<float> origin(dims_, 0.0f);
  std::vector<Scratch> scratch(threads);
  parallel_for((lists + kChunkLists - 1) / kChunkLists, threads, [&](size_t chunk, size_t thread) {
    const size_t first = chunk * kChunkLists, count = std::min(kChunkLists, lists - first);
    ByteRows points(count, dims_, origin.data());
    std::vector<float> point(dims_);
    for (size_t i = 0; i < count; ++i) {
      read_point(static_cast<uint32_t>(first + i), point.data());
      points.set(i, point.data());
    }
    choose_cells(points, 0, count, 1, scratch[thread], &nearest[first]);
  });
  const Grouping grouping = group_rows(nearest.data(), lists, cells_.size());
  parallel_for(cells_.size(), threads, [&](size_t c, size_t) {
    Cell& cell = cells_[c];
    cell.lists.assign(&grouping.order[grouping.starts[c]], &grouping.order[grouping.starts[c + 1]]);
    std::vector<float> cell_points(cell.lists.size() * dims_);
    for (size_t i = 0; i < cell.lists.size(); ++i)
      read_point(cell.lists[i], &cell_points[i * dims_]);
    cell.points = Panels(cell_points.data(), cell.lists.size(), dims_);
    cell.half_norms.assign(cell.points.width(), -kNothing);
    for (size_t i = 0; i < cell.lists.size(); ++i) {
      cell.half_norms[i] = squared_length(&cell_points[i * dims_], dims_) / 2;
    }
    if (cell.lists.empty()) cell_half_norms_[c] = -kNothing;
  });
}

std::vector<NearList> ListTree::nearest(const ByteRows& rows, size_t probes, size_t threads) const {
  const size_t count = rows.rows();
  probes = std::min(probes, cells_.size());
  Search search{rows, probes, std::vector<uint32_t>(count * probes),
                std::vector<NearList>(count * probes * kNearest), std::vector<Scratch>(threads)};
  parallel_for((count + kChunkRows - 1) / kChunkRows, threads, [&](size_t chunk, size_t thread) {
    const size_t first = chunk * kChunkRows, last = std::min(count, first + kChunkRows);
    choose_cells(rows, first, last, probes, search.scratch[thread], &search.cells[first * probes]);
  });
  // Visit v belongs to row v / probes.
  const Grouping visits = group_rows(search.cells.data(), search.cells.size(), cells_.size());
  parallel_for((cells_.size() + kRunCells - 1) / kRunCells, threads,
               [&](size_t run, size_t thread) {
                 const size_t last = std::min(cells_.size(), (run + 1) * kRunCells);
                 for (size_t c = run * kRunCells; c < last; ++c) {
                   visit_cell(search, visits, c, c + 1 < last, search.scratch[thread]);
                 }
               });
  std::vector<NearList> result(count * kNearest);
  const size_t stride = probes * kNearest;
  for (size_t r = 0; r < count; ++r) {
    Best best(&result[r * kNearest], kNearest);
    for (size_t i = r * stride; i < (r + 1) * stride; ++i) best.add(search.found[i]);
  }
  return result;
}

// Writes the `probes` nearest cells of each of the rows first .. last.
void ListTree::choose_cells(const ByteRows& rows, size_t first, size_t last, size_t probes,
                            Scratch& scratch, uint32_t* cells) const {
  std::vector<NearList> best(probes);
  for (size_t r = first; r < last; r += kVisitRows) {
    const size_t block_rows = std::min(kVisitRows, last - r);
    scratch.multiply(cell_points_, rows.bytes(r), block_rows);
    for (size_t i = 0; i < block_rows; ++i) {
      scratch.pick(cell_points_, cell_half_norms_, i, rows.scale(r + i), best.data(), probes);
      for (const NearList& cell : best) *cells++ = cell.list;
    }
  }
}

// Fills `found` for all visits to cell c. Meanwhile it prefetches the next rows, whichever cell
// they visit, and, if `next_too`, the next cell.
void ListTree::visit_cell(Search& search, const Grouping& visits, size_t c, bool next_too,
                          Scratch& scratch) const {
  const size_t begin = visits.starts[c], end = visits.starts[c + 1];
  const size_t parts = (end - begin + kVisitRows - 1) / kVisitRows;
  for (size_t part = 0; part < parts; ++part) {
    const size_t first = begin + part * kVisitRows, last = std::min(end, first + kVisitRows);
    for (size_t i = last; i < std::min(last + kVisitRows, visits.order.size()); ++i) {
      search.rows.fetch(visits.order[i] / search.probes);
      prefetch(&search.found[visits.order[i] * kNearest], kNearest * sizeof(NearList));
    }
    if (next_too) cells_[c + 1].points.fetch_part(part, parts);
    compare(search, cells_[c], &visits.order[first], last - first, scratch);
  }
}

// Fills `found` for at most kVisitRows visits to one cell.
void ListTree::compare(Search& search, const Cell& cell, const uint32_t* visits, size_t count,
                       Scratch& scratch) const {
  const size_t depth = search.rows.depth();
  scratch.rows.resize(kVisitRows * depth);
  for (size_t i = 0; i < count; ++i) {
    std::copy_n(search.rows.bytes(visits[i] / search.probes), depth, &scratch.rows[i * depth]);
  }
  scratch.multiply(cell.points, scratch.rows.data(), count);
  for (size_t i = 0; i < count; ++i) {
    NearList* const found = &search.found[visits[i] * kNearest];
    scratch.pick(cell.points, cell.half_norms, i, search.rows.scale(visits[i] / search.probes),
                 found, kNearest);
    for (size_t k = 0; k < kNearest && found[k].list != kNoList; ++k) {
      found[k].list = cell.lists[found[k].list];
    }
  }
}

}  // namespace corvid
