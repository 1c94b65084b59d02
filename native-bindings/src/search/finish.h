// The steps after the scan: refining and rescoring a shortlist, merging the shortlists of several
// threads, ranking, and reading item ids.
//
// All orders are total (score descending, then row or item id ascending), so answers depend neither
// on the number of threads nor on the split of the rows.
#ifndef CORVID_SEARCH_FINISH_H_
#define CORVID_SEARCH_FINISH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/query/query.h"
#include "search/plan.h"
#include "search/searchable.h"
#include "segment/read/shortlist.h"
#include "simd/top_k.h"

namespace corvid {

struct FoundItem {
  float score;
  uint64_t id;
};

struct FinishTimes {
  double refine_ms = 0;
  double rescore_ms = 0;
};

// Buffers of one thread, reused from query to query.
struct SearchMemory {
  Shortlist shortlist{0};
  std::vector<Candidate> candidates;  // the shortlist while it is refined and rescored
  std::vector<FoundItem> items;       // the result, best first
  std::vector<uint64_t> keys;
  KeySorter sorter;
};

// Refines the scores of candidates by the plan's levels, and rescores by the stored vectors, as the
// plan says. May reorder candidates. Every row must be below index.rows(), and every level usable
// in every segment. Fastest where rows of the same list are adjacent, as a scan leaves them.
void score_candidates(const Searchable& index, QueryContext& query, const SearchPlan& plan,
                      std::vector<Candidate>& candidates, FinishTimes& times);

// Keeps the best `limit` of the candidates of disjoint parts, and sorts them by row.
void merge_candidates(std::vector<Candidate>& candidates, size_t limit);

// Turns memory.candidates into the best plan.wanted items in memory.items, by score descending,
// then id ascending. Calls score_candidates first, unless `scored` says that the scores are final.
void finish_items(const Searchable& index, QueryContext& query, const SearchPlan& plan, bool scored,
                  SearchMemory& memory, FinishTimes& times);

}  // namespace corvid

#endif  // CORVID_SEARCH_FINISH_H_
