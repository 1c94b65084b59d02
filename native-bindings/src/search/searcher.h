// One query through an index on one thread: scan, refine, rescore, item ids.
//
// Rows are global here: segment after segment, in the order given. All orders are total (score
// descending, then row or item ascending), so results depend on the query and the plan alone.
#ifndef CORVID_SEARCH_SEARCHER_H_
#define CORVID_SEARCH_SEARCHER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "codec/query/query.h"
#include "search/plan.h"
#include "search/route.h"
#include "segment/read/segment.h"
#include "segment/read/shortlist.h"
#include "simd/top_k.h"

namespace corvid {

// The files of one generation of an index. Immutable.
struct Searchable {
  std::shared_ptr<const Codec> codec;
  std::vector<std::shared_ptr<const Segment>> segments;
  std::vector<uint64_t> first_rows;  // of each segment, and after the last the number of rows

  Searchable(std::shared_ptr<const Codec> codec,
             std::vector<std::shared_ptr<const Segment>> segments);
  uint64_t rows() const { return first_rows.back(); }
};

struct Scanned {
  uint64_t rows = 0;   // looked at
  uint32_t lists = 0;  // scanned
};

// The lists of one query, most similar first; belongs to the caller.
struct RoutedSpan {
  const RoutedList* lists;
  size_t size;
};

// Scans by `plan` and leaves the best rows in `shortlist`, which it resets. `routed`: the query's
// lists, most similar first: at least plan.nearest of them, and all that are to be scanned unless
// plan.everywhere. Where they give less than `wanted` rows, further lists are scanned, ever more of
// them, until there are enough or no list is left.
Scanned scan_index(const Searchable& index, QueryContext& query, const RoutedSpan& routed,
                   const ScanPlan& plan, size_t wanted, Shortlist& shortlist);

void sort_by_row(std::vector<Candidate>& candidates);

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
  std::vector<Candidate> candidates;  // what is refined
  std::vector<FoundItem> items;       // what was found, best first
  std::vector<uint64_t> keys;
  KeySorter sorter;
};

// Refines and rescores memory.candidates by `plan` and turns the best into memory.items; leaves the
// candidates changed. Every row lies below index.rows(), every level is usable in every segment.
// Cheapest where rows of a list follow one another, as a scan leaves them.
void finish_items(const Searchable& index, QueryContext& query, const FinishPlan& plan,
                  SearchMemory& memory, FinishTimes& times);

}  // namespace corvid

#endif  // CORVID_SEARCH_SEARCHER_H_
