// From a shortlist to the best items: scoring it anew, ranking, item ids; and merging the parts
// that several threads found.
//
// All orders are total (score descending, then row or item id ascending), so that neither threads
// nor the split of the rows show in the answer.
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

// Memory of the queries of one thread, reused from one to the next.
struct SearchMemory {
  Shortlist shortlist{0};
  std::vector<Candidate> candidates;  // the shortlist while it is scored anew
  std::vector<FoundItem> items;       // what was found, best first
  std::vector<uint64_t> keys;
  KeySorter sorter;
};

// Sets the scores of candidates by the plan's refine levels, then by the stored vectors; may change
// their order. Every row lies below index.rows(), every level is usable in every segment. Cheapest
// where rows of a list follow one another, as a scan leaves them.
void score_candidates(const Searchable& index, QueryContext& query, const SearchPlan& plan,
                      std::vector<Candidate>& candidates, FinishTimes& times);

// Cuts candidates of disjoint parts to the best `limit`, in the order of their rows.
void merge_candidates(std::vector<Candidate>& candidates, size_t limit);

// Turns the first plan.wanted of memory.candidates into memory.items, by score and then id, after
// they were scored anew if the plan says so and `scored` does not say that they are already.
void finish_items(const Searchable& index, QueryContext& query, const SearchPlan& plan, bool scored,
                  SearchMemory& memory, FinishTimes& times);

}  // namespace corvid

#endif  // CORVID_SEARCH_FINISH_H_
