// Scores candidates segment by segment, then ranks them and reads their item ids.
#include "search/finish.h"

#include <algorithm>
#include <chrono>

#include "segment/read/read_ahead.h"
#include "segment/read/scan.h"

namespace corvid {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point start, Clock::time_point end) {
  return std::chrono::duration<double, std::milli>(end - start).count();
}

void sort_by_row(std::vector<Candidate>& candidates) {
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.row < b.row; });
}

// Calls `score` for each segment with that segment's candidates. Sorts them by row if there are
// several segments.
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

// Turns candidates into items. Reads the ids of the best items and of those that tie with the last
// one, and no others.
void rank_items(const Searchable& index, const SearchPlan& plan, SearchMemory& memory) {
  const std::vector<Candidate>& candidates = memory.candidates;
  std::vector<uint64_t>& keys = memory.keys;
  std::vector<FoundItem>& items = memory.items;
  keys.clear();
  for (size_t i = 0; i < candidates.size(); ++i) {
    keys.push_back(descending_key(candidates[i].score, static_cast<uint32_t>(i)));
  }
  memory.sorter.sort(keys);
  const auto ranked = [&](size_t i) -> const Candidate& { return candidates[number_of(keys[i])]; };
  size_t count = std::min(plan.wanted, keys.size());
  while (count > 0 && count < keys.size() && ranked(count).score == ranked(count - 1).score)
    ++count;
  if (index.segments.size() == 1 && index.segments[0]->may_be_on_disk()) {
    for (size_t i = 0; i < count; ++i) read_ahead_ids(*index.segments[0], ranked(i).row, 1);
  }
  items.resize(count);
  for (size_t i = 0; i < count; ++i) items[i] = {ranked(i).score, index.id_of(ranked(i).row)};
  for (size_t first = 0, last; first < count; first = last) {
    for (last = first + 1; last < count && items[last].score == items[first].score;) ++last;
    if (last == first + 1) continue;
    std::sort(items.data() + first, items.data() + last,
              [](const FoundItem& a, const FoundItem& b) { return a.id < b.id; });
  }
  if (count > plan.wanted) items.resize(plan.wanted);
}

}  // namespace

void score_candidates(const Searchable& index, QueryContext& query, const SearchPlan& plan,
                      std::vector<Candidate>& candidates, FinishTimes& times) {
  const Clock::time_point start = Clock::now();
  if (plan.refine_levels > 0) {
    score_by_segment(index, candidates,
                     [&](const Segment& segment, uint64_t offset, Candidate* rows, size_t count) {
                       refine_rows(segment, query, offset, plan.refine_levels, rows, count);
                     });
  }
  const Clock::time_point refined = Clock::now();
  times.refine_ms += milliseconds(start, refined);
  if (!plan.rescore) return;
  score_by_segment(index, candidates,
                   [&](const Segment& segment, uint64_t offset, Candidate* rows, size_t count) {
                     rescore_rows(segment, query, offset, rows, count);
                   });
  times.rescore_ms += milliseconds(refined, Clock::now());
}

void merge_candidates(std::vector<Candidate>& candidates, size_t limit) {
  if (candidates.size() > limit) {
    std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(limit),
                     candidates.end(), Better());
    candidates.resize(limit);
  }
  sort_by_row(candidates);
}

void finish_items(const Searchable& index, QueryContext& query, const SearchPlan& plan, bool scored,
                  SearchMemory& memory, FinishTimes& times) {
  if (!scored) score_candidates(index, query, plan, memory.candidates, times);
  if (!scored && !plan.scores_anew() && plan.scoring == Scoring::kHamming) {
    // The scan's scores are counts of agreeing bits.
    for (Candidate& candidate : memory.candidates) candidate.score = 2 * candidate.score / 64 - 1;
  }
  const Clock::time_point start = Clock::now();
  rank_items(index, plan, memory);
  (plan.rescore ? times.rescore_ms : times.refine_ms) += milliseconds(start, Clock::now());
}

}  // namespace corvid
