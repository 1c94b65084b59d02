#include "codec/list_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "codec/kmeans.h"
#include "codec/matrix.h"
#include "codec/wide.h"
#include "threads.h"

namespace corvid {
namespace {

constexpr size_t kCellRounds = 8;
// Centers that the cells are trained on, at most, for each cell.
constexpr size_t kCentersPerCell = 128;
constexpr uint64_t kCellSeed = 1, kCellStream = 48;

// Rows whose products with a cell's lists are held at once.
constexpr size_t kVisitRows = 24;
// Scores that are taken as kLanes strided runs.
constexpr size_t kStrip = 16 * kLanes;

// Candidates of a row beyond its shortlist that are gathered before the best are picked out.
constexpr size_t kSpareCandidates = 48;

constexpr float kNothing = -std::numeric_limits<float>::infinity();

struct Scored {
  float score;
  uint32_t list;
};
struct Better {
  bool operator()(const Scored& a, const Scored& b) const {
    return a.score != b.score ? a.score > b.score : a.list < b.list;
  }
};

// The best of what it is given, best first.
class Best {
 public:
  explicit Best(size_t count) : best_(count) {}
  void clear() { held_ = 0; }
  bool wants(float score) const { return held_ < best_.size() || score >= best_.back().score; }
  void add(const Scored& one) {
    if (held_ == best_.size() && !Better()(one, best_.back())) return;
    size_t place = held_ < best_.size() ? held_++ : held_ - 1;
    for (; place > 0 && Better()(one, best_[place - 1]); --place) best_[place] = best_[place - 1];
    best_[place] = one;
  }
  const Scored& operator[](size_t i) const { return best_[i]; }

 private:
  std::vector<Scored> best_;
  size_t held_ = 0;
};

// scores[i] = scale * scales[i] * products[i] − half_norms[i], `width` of them, a multiple of
// kLanes; largest[i] = the largest of scores i, i + kLanes, i + 2 kLanes, ...
CORVID_WIDE void settle(const int32_t* products, float scale, const float* scales,
                        const float* half_norms, size_t width, float* scores, float* largest) {
  std::fill_n(largest, kLanes, kNothing);
  for (size_t v = 0; v < width; v += kLanes) {
    for (size_t i = 0; i < kLanes; ++i) {
      const float score =
          scale * scales[v + i] * static_cast<float>(products[v + i]) - half_norms[v + i];
      scores[v + i] = score;
      largest[i] = score > largest[i] ? score : largest[i];
    }
  }
}

// Comparing with all cells should cost about as much as with the lists of some of them; a cell of
// less than four panels is not worth its visit.
size_t cells_for(size_t lists) {
  size_t cells = 1;
  while (cells * cells < 4 * lists && cells * 2 * 4 * kPanelVectors <= lists) cells *= 2;
  return cells;
}

}  // namespace

// What is known of the rows while cells are visited.
struct ListTree::Rows {
  size_t count;
  size_t probes;
  size_t shortlist;
  size_t room;                     // places for candidates of a row
  std::vector<uint8_t> bytes;      // count x depth
  std::vector<float> scales;       // count
  std::vector<uint32_t> cells;     // count x probes, nearest first
  std::vector<float> thresholds;   // count: a score that is no better is not among the best
  std::vector<uint32_t> held;      // count
  std::vector<Scored> candidates;  // count x room
  // Of the visit under way.
  std::vector<uint8_t> visiting;
  std::vector<int32_t> products;
  std::vector<float> scores;

  // Keeps the best `shortlist` candidates of a row.
  void cut(size_t row) {
    if (held[row] < shortlist) return;
    Scored* own = &candidates[row * room];
    std::nth_element(own, own + shortlist - 1, own + held[row], Better());
    held[row] = static_cast<uint32_t>(shortlist);
    thresholds[row] = own[shortlist - 1].score;
  }

  void add(size_t row, const Scored& candidate) {
    candidates[row * room + held[row]++] = candidate;
    if (held[row] == room) cut(row);
  }
};

ListTree::ListTree(const float* points, const float* half_norms, size_t lists, size_t dims,
                   size_t threads)
    : dims_(dims), cells_(cells_for(lists)) {
  const size_t count = cells_.size();
  const size_t used = std::min(lists, count * kCentersPerCell);
  std::vector<float> picked(used * dims);
  for (size_t i = 0; i < used; ++i) {
    std::copy_n(points + lists * i / used * dims, dims, &picked[i * dims]);
  }
  const KMeansOptions options{count, kCellRounds, threads, nullptr};
  const std::vector<float> centers =
      kmeans(picked.data(), used, dims, nullptr, options, Random(kCellSeed, kCellStream));
  std::vector<uint32_t> clusters(lists);
  assign_nearest(points, lists, dims, centers.data(), count, threads, nullptr, clusters.data());
  const Grouping grouping = group_rows(clusters.data(), lists, count);

  cell_points_ = Panels(centers.data(), count, dims);
  cell_half_norms_.assign(cell_points_.width(), -kNothing);
  parallel_for(count, threads, [&](size_t c, size_t) {
    cell_half_norms_[c] = squared_length(&centers[c * dims], dims) / 2;
    Cell& cell = cells_[c];
    cell.lists.assign(&grouping.order[grouping.starts[c]], &grouping.order[grouping.starts[c + 1]]);
    std::vector<float> own(cell.lists.size() * dims);
    for (size_t i = 0; i < cell.lists.size(); ++i) {
      std::copy_n(points + cell.lists[i] * dims, dims, &own[i * dims]);
    }
    cell.points = Panels(own.data(), cell.lists.size(), dims);
    cell.half_norms.assign(cell.points.width(), -kNothing);
    for (size_t i = 0; i < cell.lists.size(); ++i) cell.half_norms[i] = half_norms[cell.lists[i]];
    if (cell.lists.empty()) cell_half_norms_[c] = -kNothing;
  });
}

void ListTree::nearest(const float* x, size_t count, const TreeSearch& search,
                       uint32_t* lists) const {
  Rows rows;
  rows.count = count;
  rows.probes = std::min(search.probes, cells_.size());
  rows.shortlist = search.shortlist;
  rows.room = search.shortlist + kSpareCandidates;
  rows.bytes.resize(count * cell_points_.depth());
  rows.scales.resize(count);
  for (size_t r = 0; r < count; ++r) {
    rows.scales[r] = quantise_row(x + r * dims_, dims_, &rows.bytes[r * cell_points_.depth()]);
  }
  rows.cells.resize(count * rows.probes);
  rows.thresholds.assign(count, kNothing);
  rows.held.assign(count, 0);
  rows.candidates.resize(count * rows.room);
  choose_cells(rows);
  // The nearest cell first, so that little of the others passes the threshold.
  visit(rows, 0, 1);
  for (size_t r = 0; r < count; ++r) rows.cut(r);
  visit(rows, 1, rows.probes);
  for (size_t r = 0; r < count; ++r) {
    rows.cut(r);
    uint32_t* own = lists + r * rows.shortlist;
    std::fill_n(own, rows.shortlist, kNoList);
    for (size_t i = 0; i < rows.held[r]; ++i) own[i] = rows.candidates[r * rows.room + i].list;
  }
}

// Fills `cells`. Scores are looked at one by one only in strided runs whose largest one is among
// the best of all runs.
void ListTree::choose_cells(Rows& rows) const {
  const size_t width = cell_points_.width(), depth = cell_points_.depth();
  const size_t strips = (width + kStrip - 1) / kStrip;
  rows.products.resize(kVisitRows * width);
  rows.scores.resize(width);
  std::vector<float> largest(strips * kLanes);
  Best runs(rows.probes), best(rows.probes);
  for (size_t first = 0; first < rows.count; first += kVisitRows) {
    const size_t here = std::min(kVisitRows, rows.count - first);
    cell_points_.products(&rows.bytes[first * depth], here, rows.products.data());
    for (size_t r = 0; r < here; ++r) {
      runs.clear();
      best.clear();
      for (size_t s = 0; s < strips; ++s) {
        const size_t c = s * kStrip;
        settle(&rows.products[r * width + c], rows.scales[first + r], cell_points_.scales() + c,
               &cell_half_norms_[c], std::min(kStrip, width - c), &rows.scores[c],
               &largest[s * kLanes]);
      }
      for (size_t run = 0; run < largest.size(); ++run) {
        if (runs.wants(largest[run])) runs.add({largest[run], static_cast<uint32_t>(run)});
      }
      for (size_t i = 0; i < std::min(rows.probes, largest.size()); ++i) {
        const size_t strip = runs[i].list / kLanes, lane = runs[i].list % kLanes;
        const size_t end = std::min(width, (strip + 1) * kStrip);
        for (size_t c = strip * kStrip + lane; c < end; c += kLanes) {
          if (best.wants(rows.scores[c])) best.add({rows.scores[c], static_cast<uint32_t>(c)});
        }
      }
      for (size_t i = 0; i < rows.probes; ++i) {
        rows.cells[(first + r) * rows.probes + i] = best[i].list;
      }
    }
  }
}

// Visits the cells that are `first_probe` .. `last_probe` of every row, cell by cell.
void ListTree::visit(Rows& rows, size_t first_probe, size_t last_probe) const {
  const size_t probes = last_probe - first_probe;
  std::vector<uint32_t> cells(rows.count * probes);
  for (size_t r = 0; r < rows.count; ++r) {
    std::copy_n(&rows.cells[r * rows.probes + first_probe], probes, &cells[r * probes]);
  }
  Grouping grouping = group_rows(cells.data(), cells.size(), cells_.size());
  for (uint32_t& visitor : grouping.order) visitor = static_cast<uint32_t>(visitor / probes);
  for (size_t c = 0; c < cells_.size(); ++c) {
    const size_t first = grouping.starts[c], last = grouping.starts[c + 1];
    for (size_t i = first; i < last; i += kVisitRows) {
      visit_cell(rows, cells_[c], &grouping.order[i], std::min(kVisitRows, last - i));
    }
  }
}

void ListTree::visit_cell(Rows& rows, const Cell& cell, const uint32_t* visitors,
                          size_t count) const {
  const size_t depth = cell_points_.depth(), width = cell.points.width();
  rows.visiting.resize(kVisitRows * depth);
  rows.products.resize(std::max(rows.products.size(), kVisitRows * width));
  rows.scores.resize(std::max(rows.scores.size(), width));
  for (size_t i = 0; i < count; ++i) {
    std::copy_n(&rows.bytes[visitors[i] * depth], depth, &rows.visiting[i * depth]);
  }
  cell.points.products(rows.visiting.data(), count, rows.products.data());
  for (size_t i = 0; i < count; ++i) {
    const size_t row = visitors[i];
    float largest[kLanes];
    settle(&rows.products[i * width], rows.scales[row], cell.points.scales(),
           cell.half_norms.data(), width, rows.scores.data(), largest);
    if (rows.held[row] == 0 && rows.shortlist <= kLanes) {
      // As many runs hold a score that is at least the least of their largest ones.
      const float least = *std::min_element(largest, largest + kLanes);
      rows.thresholds[row] = std::nextafter(least, kNothing);
    }
    for (size_t lane = 0; lane < kLanes; ++lane) {
      if (!(largest[lane] > rows.thresholds[row])) continue;
      for (size_t v = lane; v < cell.lists.size(); v += kLanes) {
        if (rows.scores[v] > rows.thresholds[row]) rows.add(row, {rows.scores[v], cell.lists[v]});
      }
    }
  }
}

}  // namespace corvid
