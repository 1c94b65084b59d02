// Scores the rows of a range chunk by chunk.
#include "search/sweep.h"

#include <algorithm>
#include <vector>

namespace corvid {
namespace {

// Rows of one chunk: few enough to fit the cache, and to notice a cancellation soon.
constexpr uint64_t kChunkRows = 32768;

// Appends the rows of [first, last) that the filter keeps.
void append_kept(const Searchable& index, const IndexFilter& filter, uint64_t first, uint64_t last,
                 std::vector<Candidate>& candidates) {
  for (uint64_t row = first; row < last;) {
    const size_t segment = index.segment_of(row);
    const uint64_t start = index.first_rows[segment];
    const uint64_t end = std::min(last, index.first_rows[segment + 1]);
    const bool none = !filter.empty() && filter[segment].none;
    const RowFilter* rows = filter.empty() ? nullptr : filter[segment].rows.get();
    for (; row < end; ++row) {
      if (none || (rows != nullptr && !rows->keeps(row - start))) continue;
      candidates.push_back({0, kUnknownList, row});
    }
  }
}

}  // namespace

std::optional<uint64_t> sweep_range(const Searchable& index, QueryContext& query,
                                    const SearchPlan& plan, const IndexFilter& filter,
                                    uint64_t first_row, uint64_t last_row,
                                    const std::function<bool()>& cancelled, SearchMemory& memory) {
  Shortlist& best = memory.shortlist;
  std::vector<Candidate>& candidates = memory.candidates;
  FinishTimes times;
  uint64_t scored = 0;
  best.reset(std::min<uint64_t>(plan.wanted, index.rows()));
  for (uint64_t first = first_row; first < last_row; first += kChunkRows) {
    if (cancelled()) return std::nullopt;
    candidates.clear();
    append_kept(index, filter, first, std::min(last_row, first + kChunkRows), candidates);
    score_candidates(index, query, plan, candidates, times);
    scored += candidates.size();
    std::copy(candidates.begin(), candidates.end(), best.reserve(candidates.size()));
    best.take(candidates.size());
  }
  best.best(&candidates);
  return scored;
}

}  // namespace corvid
