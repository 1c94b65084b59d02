// Runs one scanner per segment over the routed lists, or over a range of rows.
#include "search/scan.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "segment/read/scan.h"
#include "segment/read/stop.h"

namespace corvid {
namespace {

// Lists that are read ahead at a time.
constexpr size_t kListsAhead = 4;

// The segment with the most rows. The norm weight is estimated there, and used for all segments, so
// that their scores are comparable.
const Segment& largest(const Searchable& index) {
  const auto smaller = [](const auto& a, const auto& b) { return a->rows() < b->rows(); };
  return **std::max_element(index.segments.begin(), index.segments.end(), smaller);
}

float norm_weight_of(const Searchable& index, QueryContext& query, const RoutedSpan& routed,
                     const SearchPlan& plan) {
  if (plan.scoring != Scoring::kAsymmetric) return 0;
  std::vector<uint32_t> nearest;
  for (size_t i = 0; i < std::min(plan.norm_lists, routed.size); ++i) {
    nearest.push_back(routed.lists[i].list);
  }
  return estimate_norm_weight(largest(index), query, nearest, plan.norm_rank);
}

struct SegmentScanner {
  Scanner scanner;
  size_t segment;  // its position in the index
};

// A scanner for each segment, except those whose filter keeps no row. `stop` may be null.
std::vector<SegmentScanner> scanners_of(const Searchable& index, QueryContext& query,
                                        const SearchPlan& plan, const IndexFilter& filter,
                                        float norm_weight, Shortlist& shortlist, StopRule* stop) {
  std::vector<SegmentScanner> scanners;
  scanners.reserve(index.segments.size());
  for (size_t i = 0; i < index.segments.size(); ++i) {
    ScanSettings settings{plan.scoring, norm_weight};
    if (!filter.empty()) {
      if (filter[i].none) continue;
      settings.filter = filter[i].rows.get();
    }
    settings.row_offset = index.first_rows[i];
    settings.stop = stop;
    scanners.push_back({Scanner(*index.segments[i], query, settings, shortlist), i});
  }
  return scanners;
}

uint64_t rows_of(const std::vector<SegmentScanner>& scanners) {
  uint64_t rows = 0;
  for (const SegmentScanner& one : scanners) rows += one.scanner.scanned_rows();
  return rows;
}

// Scans further lists after the first scanned.lists of `routed`, also lists beyond `routed`, until
// the shortlist has `min_rows` rows or no list is left.
void scan_further(QueryContext& query, const RoutedSpan& routed, size_t min_rows,
                  std::vector<SegmentScanner>& scanners, const Shortlist& shortlist,
                  Scanned& scanned) {
  constexpr size_t kGrowth = 4;  // of the number of lists routed to, each time
  const size_t all = query.codec().lists();
  std::vector<bool> done(all);
  for (size_t i = 0; i < scanned.lists; ++i) done[routed.lists[i].list] = true;
  std::vector<RoutedList> wider;
  for (size_t count = routed.size; scanned.lists < all && shortlist.size() < min_rows;) {
    count = std::min(all, std::max<size_t>(1, count) * kGrowth);
    wider.resize(count);
    route_queries(query.codec(), query.values(), 1, count, wider.data());
    for (const RoutedList& one : wider) {
      if (done[one.list]) continue;
      if (shortlist.size() >= min_rows) return;
      done[one.list] = true;
      for (SegmentScanner& each : scanners) each.scanner.scan_list(one.list, one.list);
      ++scanned.lists;
    }
  }
}

}  // namespace

Scanned scan_index(const Searchable& index, QueryContext& query, const RoutedSpan& routed,
                   const SearchPlan& plan, const IndexFilter& filter, Shortlist& shortlist) {
  if (plan.scan_all) {
    return scan_range(index, query, routed, plan, filter, 0, index.rows(), shortlist);
  }
  shortlist.reset(std::min<uint64_t>(plan.shortlist, index.rows()));
  if (index.segments.empty()) return {};
  const auto read_ahead = [&](size_t first, size_t last) {
    for (size_t i = first; i < std::min(last, routed.size); ++i) {
      for (const auto& segment : index.segments) segment->read_ahead_list(routed.lists[i].list);
    }
  };
  read_ahead(0, 2 * kListsAhead);
  StopRule stop(plan.stop_log_odds);
  std::vector<SegmentScanner> scanners =
      scanners_of(index, query, plan, filter, norm_weight_of(index, query, routed, plan), shortlist,
                  stop.active() ? &stop : nullptr);
  Scanned scanned;
  const size_t min_rows = std::min(plan.min_rows, plan.shortlist);
  for (size_t i = 0; i < routed.size; ++i) {
    const bool ends = stop.active() && stop.ends_before(routed.lists[i].similarity);
    if (ends && shortlist.size() >= min_rows) break;
    if (i % kListsAhead == 0 && i > 0) read_ahead(i + kListsAhead, i + 2 * kListsAhead);
    const uint32_t next = routed.lists[std::min(i + 1, routed.size - 1)].list;
    for (SegmentScanner& one : scanners) one.scanner.scan_list(routed.lists[i].list, next);
    ++scanned.lists;
  }
  const size_t needed = std::min(plan.wanted, plan.shortlist);
  if (shortlist.size() < needed) scan_further(query, routed, needed, scanners, shortlist, scanned);
  scanned.rows = rows_of(scanners);
  return scanned;
}

Scanned scan_range(const Searchable& index, QueryContext& query, const RoutedSpan& routed,
                   const SearchPlan& plan, const IndexFilter& filter, uint64_t first_row,
                   uint64_t last_row, Shortlist& shortlist) {
  shortlist.reset(std::min<uint64_t>(plan.shortlist, index.rows()));
  if (index.segments.empty()) return {};
  std::vector<SegmentScanner> scanners = scanners_of(
      index, query, plan, filter, norm_weight_of(index, query, routed, plan), shortlist, nullptr);
  for (SegmentScanner& one : scanners) {
    const uint64_t start = index.first_rows[one.segment], end = index.first_rows[one.segment + 1];
    const uint64_t first = std::max(first_row, start), last = std::min(last_row, end);
    if (first < last) one.scanner.scan_rows(first - start, last - start);
  }
  return {rows_of(scanners), static_cast<uint32_t>(index.codec->lists())};
}

}  // namespace corvid
