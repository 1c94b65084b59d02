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
// Centers that the cells are trained on, at most, for each cell.
constexpr size_t kCentersPerCell = 32;
constexpr uint64_t kCellSeed = 1, kCellStream = 48;

// Rows whose products with a cell's lists are held at once.
constexpr size_t kVisitRows = 32;
// Rows that a thread takes at once where cells do not matter.
constexpr size_t kChunkRows = 512;
// Lists whose points a thread puts into cells at once.
constexpr size_t kChunkLists = 1024;
// Neighbouring cells that one thread visits.
constexpr size_t kRunCells = 8;
// Scores that are taken as kLanes strided runs.
constexpr size_t kStrip = 16 * kLanes;

constexpr float kNothing = -std::numeric_limits<float>::infinity();

bool better(const NearList& a, const NearList& b) {
  return a.score != b.score ? a.score > b.score : a.list < b.list;
}

// The best `count` of what it is given, best first, in memory of the caller.
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

// Comparing with all cells should cost about as much as with the lists of some of them; a cell of
// less than four panels is not worth its visit.
size_t cells_for(size_t lists) {
  size_t cells = 1;
  while (cells * cells < 4 * lists && cells * 2 * 4 * kPanelVectors <= lists) cells *= 2;
  return cells;
}

}  // namespace

// What is known of the rows while cells are visited.
struct ListTree::Search {
  const ByteRows& rows;
  size_t probes;
  std::vector<uint32_t> cells;   // rows x probes
  std::vector<NearList> found;   // rows x probes x kNearest: of each visit
  std::vector<Scratch> scratch;  // of each thread
};

// Products of some rows with all points of some panels, and the scores of one of them.
struct ListTree::Scratch {
  AlignedVector<uint8_t> rows;
  AlignedVector<int32_t> products;  // of each strip kVisitRows x kStrip, the last may be narrower
  AlignedVector<float> scores;
  std::vector<float> largest;  // of every strided run

  // Strip by strip: results of all points would lie a power of two apart, where caches are worst.
  void multiply(const Panels& points, const uint8_t* bytes, size_t count) {
    products.resize(std::max(products.size(), kVisitRows * (points.width() + kStrip)));
    scores.resize(std::max(scores.size(), points.width()));
    constexpr size_t kStripPanels = kStrip / kPanelVectors;
    for (size_t first = 0; first < points.panels(); first += kStripPanels) {
      points.products_of(first, std::min(kStripPanels, points.panels() - first), bytes, count,
                         &products[first / kStripPanels * kVisitRows * kStrip]);
    }
  }

  // The best `count` points by the scores of row i of those multiplied last, as numbers of points.
  // Scores are looked at one by one only in runs whose largest one may be among the best.
  void pick(const Panels& points, const AlignedVector<float>& half_norms, size_t i, float scale,
            NearList* best_points, size_t count) {
    const size_t width = points.width(), strips = (width + kStrip - 1) / kStrip;
    largest.resize(strips * kLanes);
    const Loops& loops = *kernels().loops;
    float walls[kLanes];
    std::fill_n(walls, kLanes, kNothing);
    for (size_t s = 0; s < strips; ++s) {
      const size_t first = s * kStrip;
      const size_t here = std::min(kStrip, width - first);
      loops.score_products(&products[s * kVisitRows * kStrip + i * here], scale,
                           points.scales() + first, &half_norms[first], here, &scores[first],
                           &largest[s * kLanes]);
      for (size_t lane = 0; lane < kLanes; ++lane) {
        walls[lane] = std::max(walls[lane], largest[s * kLanes + lane]);
      }
    }
    // So many runs at least hold a score that is no less.
    const float wall = loops.ranked(walls, count);
    Best best(best_points, count);
    for (size_t run = 0; run < largest.size(); ++run) {
      if (largest[run] < wall) continue;
      const size_t first = run / kLanes * kStrip, last = std::min(points.count(), first + kStrip);
      for (size_t v = first + run % kLanes; v < last; v += kLanes) {
        if (scores[v] >= wall) best.add({scores[v], static_cast<uint32_t>(v)});
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
    std::vector<float> own(cell.lists.size() * dims_);
    for (size_t i = 0; i < cell.lists.size(); ++i) read_point(cell.lists[i], &own[i * dims_]);
    cell.points = Panels(own.data(), cell.lists.size(), dims_);
    cell.half_norms.assign(cell.points.width(), -kNothing);
    for (size_t i = 0; i < cell.lists.size(); ++i) {
      cell.half_norms[i] = squared_length(&own[i * dims_], dims_) / 2;
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
  // Visit v is of row v / probes.
  const Grouping visits = group_rows(search.cells.data(), search.cells.size(), cells_.size());
  parallel_for((cells_.size() + kRunCells - 1) / kRunCells, threads,
               [&](size_t run, size_t thread) {
                 const size_t last = std::min(cells_.size(), (run + 1) * kRunCells);
                 for (size_t c = run * kRunCells; c < last; ++c) {
                   visit_cell(search, visits, c, c + 1 < last, search.scratch[thread]);
                 }
               });
  std::vector<NearList> result(count * kNearest);
  const size_t apart = probes * kNearest;
  for (size_t r = 0; r < count; ++r) {
    Best best(&result[r * kNearest], kNearest);
    for (size_t i = r * apart; i < (r + 1) * apart; ++i) best.add(search.found[i]);
  }
  return result;
}

// Fills `cells` (rows x probes) for the rows first .. last.
void ListTree::choose_cells(const ByteRows& rows, size_t first, size_t last, size_t probes,
                            Scratch& scratch, uint32_t* cells) const {
  std::vector<NearList> best(probes);
  for (size_t r = first; r < last; r += kVisitRows) {
    const size_t here = std::min(kVisitRows, last - r);
    scratch.multiply(cell_points_, rows.bytes(r), here);
    for (size_t i = 0; i < here; ++i) {
      scratch.pick(cell_points_, cell_half_norms_, i, rows.scale(r + i), best.data(), probes);
      for (const NearList& cell : best) *cells++ = cell.list;
    }
  }
}

// Fills `found` of all visits to cell c. What comes next is fetched meanwhile: the next rows, of
// this cell or another, and the next cell if this thread visits it.
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

// Fills `found` of at most kVisitRows visits to one cell.
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
