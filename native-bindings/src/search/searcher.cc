#include "search/searcher.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "segment/read/read_ahead.h"
#include "segment/read/stop.h"
#include "simd/top_k.h"

namespace corvid {
namespace {

using Clock = std::chrono::steady_clock;

// Lists are read ahead so many at a time.
constexpr size_t kListsAhead = 4;

double milliseconds(Clock::time_point start, Clock::time_point end) {
  return std::chrono::duration<double, std::milli>(end - start).count();
}

// The segment with the most rows, where the weight of the norm is estimated: one for all segments,
// so that their scores compare.
const Segment& largest(const Searchable& index) {
  const auto smaller = [](const auto& a, const auto& b) { return a->rows() < b->rows(); };
  return **std::max_element(index.segments.begin(), index.segments.end(), smaller);
}

// One scanner per segment that the filter leaves rows of.
std::vector<Scanner> scanners_of(const Searchable& index, QueryContext& query, const ScanPlan& plan,
                                 float norm_weight, Shortlist& shortlist, StopRule& stop) {
  std::vector<Scanner> scanners;
  scanners.reserve(index.segments.size());
  for (size_t i = 0; i < index.segments.size(); ++i) {
    ScanSettings settings{plan.scoring, norm_weight};
    if (!plan.filters.empty()) {
      if (plan.filters[i].none) continue;
      settings.filter = plan.filters[i].rows.get();
    }
    settings.row_offset = index.first_rows[i];
    settings.stop = stop.active() ? &stop : nullptr;
    scanners.emplace_back(*index.segments[i], query, settings, shortlist);
  }
  return scanners;
}

// Goes on after the first scanned.lists of those `routed`, with lists beyond them too, until there
// are `least` rows or no list is left.
void scan_further(QueryContext& query, const RoutedSpan& routed, size_t least,
                  std::vector<Scanner>& scanners, const Shortlist& shortlist, Scanned& scanned) {
  constexpr size_t kWider = 4;
  const size_t all = query.codec().lists();
  std::vector<bool> done(all);
  for (size_t i = 0; i < scanned.lists; ++i) done[routed.lists[i].list] = true;
  std::vector<RoutedList> wider;
  for (size_t count = routed.size; scanned.lists < all && shortlist.size() < least;) {
    count = std::min(all, std::max<size_t>(1, count) * kWider);
    wider.resize(count);
    route_queries(query.codec(), query.values(), 1, count, wider.data());
    for (const RoutedList& one : wider) {
      if (done[one.list]) continue;
      if (shortlist.size() >= least) return;
      done[one.list] = true;
      for (Scanner& scanner : scanners) scanner.scan_list(one.list, one.list);
      ++scanned.lists;
    }
  }
}

template <typename Score>
void score_by_segment(const Searchable& index, std::vector<Candidate>& candidates,
                      const Score& score) {
  if (index.segments.size() == 1) {
    score(*index.segments[0], 0, candidates.data(), candidates.size());
    return;
  }
  sort_by_row(candidates);
  size_t first = 0;
  for (size_t i = 0; i < index.segments.size() && first < candidates.size(); ++i) {
    size_t last = first;
    while (last < candidates.size() && candidates[last].row < index.first_rows[i + 1]) ++last;
    score(*index.segments[i], index.first_rows[i], candidates.data() + first, last - first);
    first = last;
  }
}

// The best `keep`, best first.
void keep_best(std::vector<Candidate>& candidates, size_t keep) {
  if (candidates.size() > keep) {
    std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(keep),
                     candidates.end(), Better());
    candidates.resize(keep);
  }
}

uint64_t id_of(const Searchable& index, uint64_t row) {
  if (index.segments.size() == 1) return index.segments[0]->id_of(row);
  size_t segment = 0;
  while (row >= index.first_rows[segment + 1]) ++segment;
  return index.segments[segment]->id_of(row - index.first_rows[segment]);
}

// The first `wanted` as items, by score and then id. Reads ids only as far as ties with the last
// reach.
void to_items(const Searchable& index, const std::vector<Candidate>& candidates, size_t wanted,
              SearchMemory& memory) {
  std::vector<uint64_t>& keys = memory.keys;
  std::vector<FoundItem>& items = memory.items;
  keys.clear();
  for (size_t i = 0; i < candidates.size(); ++i) {
    keys.push_back(descending_key(candidates[i].score, static_cast<uint32_t>(i)));
  }
  memory.sorter.sort(keys);
  const auto at = [&](size_t i) -> const Candidate& { return candidates[number_of(keys[i])]; };
  size_t count = std::min(wanted, keys.size());
  while (count > 0 && count < keys.size() && at(count).score == at(count - 1).score) ++count;
  if (index.segments.size() == 1 && index.segments[0]->may_be_on_disk()) {
    for (size_t i = 0; i < count; ++i) read_ahead_ids(*index.segments[0], at(i).row, 1);
  }
  items.resize(count);
  for (size_t i = 0; i < count; ++i) items[i] = {at(i).score, id_of(index, at(i).row)};
  for (size_t first = 0, last; first < count; first = last) {
    for (last = first + 1; last < count && items[last].score == items[first].score;) ++last;
    if (last == first + 1) continue;
    std::sort(items.data() + first, items.data() + last,
              [](const FoundItem& a, const FoundItem& b) { return a.id < b.id; });
  }
  if (count > wanted) items.resize(wanted);
}

}  // namespace

Searchable::Searchable(std::shared_ptr<const Codec> codec_of_all,
                       std::vector<std::shared_ptr<const Segment>> all)
    : codec(std::move(codec_of_all)), segments(std::move(all)), first_rows{0} {
  for (const auto& segment : segments) first_rows.push_back(first_rows.back() + segment->rows());
}

void sort_by_row(std::vector<Candidate>& candidates) {
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.row < b.row; });
}

Scanned scan_index(const Searchable& index, QueryContext& query, const RoutedSpan& routed,
                   const ScanPlan& plan, size_t wanted, Shortlist& shortlist) {
  shortlist.reset(std::min<uint64_t>(plan.limit, index.rows()));
  if (index.segments.empty()) return {};
  const auto read_ahead = [&](size_t first, size_t last) {
    for (size_t i = first; i < std::min(last, routed.size); ++i) {
      for (const auto& segment : index.segments) segment->read_ahead_list(routed.lists[i].list);
    }
  };
  read_ahead(0, 2 * kListsAhead);
  float norm_weight = 0;
  if (plan.scoring == Scoring::kAsymmetric) {
    std::vector<uint32_t> nearest;
    for (size_t i = 0; i < std::min(plan.nearest, routed.size); ++i) {
      nearest.push_back(routed.lists[i].list);
    }
    norm_weight = estimate_norm_weight(largest(index), query, nearest, plan.norm_rank);
  }
  StopRule stop(plan.everywhere ? -std::numeric_limits<float>::infinity() : plan.stop);
  std::vector<Scanner> scanners = scanners_of(index, query, plan, norm_weight, shortlist, stop);
  Scanned scanned;
  const auto count_rows = [&] {
    scanned.rows = 0;
    for (const Scanner& scanner : scanners) scanned.rows += scanner.scanned_rows();
  };
  if (plan.everywhere) {
    for (Scanner& scanner : scanners) scanner.scan_rows(0, scanner.segment().rows());
    scanned.lists = static_cast<uint32_t>(index.codec->lists());
    count_rows();
    return scanned;
  }
  const size_t enough = std::min(plan.enough, plan.limit);
  for (size_t i = 0; i < routed.size; ++i) {
    const bool ends = stop.active() && stop.ends_before(routed.lists[i].similarity);
    if (ends && shortlist.size() >= enough) break;
    if (i % kListsAhead == 0 && i > 0) read_ahead(i + kListsAhead, i + 2 * kListsAhead);
    const uint32_t next = i + 1 < routed.size ? routed.lists[i + 1].list : routed.lists[i].list;
    for (Scanner& scanner : scanners) scanner.scan_list(routed.lists[i].list, next);
    ++scanned.lists;
  }
  const size_t least = std::min(wanted, plan.limit);
  if (shortlist.size() < least) scan_further(query, routed, least, scanners, shortlist, scanned);
  count_rows();
  return scanned;
}

void finish_items(const Searchable& index, QueryContext& query, const FinishPlan& plan,
                  SearchMemory& memory, FinishTimes& times) {
  std::vector<Candidate>& candidates = memory.candidates;
  const Clock::time_point start = Clock::now();
  for (const RefineStep& step : plan.refine) {
    score_by_segment(index, candidates,
                     [&](const Segment& segment, uint64_t offset, Candidate* rows, size_t count) {
                       refine_rows(segment, query, offset, step.levels, rows, count);
                     });
    keep_best(candidates, step.keep);
  }
  const Clock::time_point refined = Clock::now();
  if (plan.rescore) {
    score_by_segment(index, candidates,
                     [&](const Segment& segment, uint64_t offset, Candidate* rows, size_t count) {
                       rescore_rows(segment, query, offset, rows, count);
                     });
  }
  if (plan.hamming && plan.refine.empty() && !plan.rescore) {
    for (Candidate& candidate : candidates) candidate.score = 2 * candidate.score / 64 - 1;
  }
  to_items(index, candidates, plan.wanted, memory);
  const Clock::time_point end = Clock::now();
  times.refine_ms += milliseconds(start, plan.rescore ? refined : end);
  if (plan.rescore) times.rescore_ms += milliseconds(refined, end);
}

}  // namespace corvid
