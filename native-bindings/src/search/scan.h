// The scan of an index at level 64: from a query to a shortlist of its best rows, over the lists
// that it was routed to or over a range of rows.
//
// Runs on one thread. Orders are total (score descending, then row ascending), so the shortlist
// depends only on the query and the plan, and shortlists of disjoint ranges merge into that of all
// rows. It does not refine or rescore: see finish.h.
#ifndef CORVID_SEARCH_SCAN_H_
#define CORVID_SEARCH_SCAN_H_

#include <cstdint>

#include "codec/query/query.h"
#include "search/plan.h"
#include "search/route.h"
#include "search/searchable.h"
#include "segment/read/shortlist.h"

namespace corvid {

struct Scanned {
  uint64_t rows = 0;  // including rows that a filter rejected
  uint32_t lists = 0;
};

// The lists of one query, most similar first. The caller owns the memory.
struct RoutedSpan {
  const RoutedList* lists;
  size_t size;
};

// Resets `shortlist` and fills it with the best rows according to `plan`. `routed` holds
// plan.routed_lists() lists. If these give fewer than plan.wanted rows, more lists are scanned
// until there are enough rows or no list is left.
Scanned scan_index(const Searchable& index, QueryContext& query, const RoutedSpan& routed,
                   const SearchPlan& plan, const IndexFilter& filter, Shortlist& shortlist);

// The same for all lists, but only rows [first_row, last_row); last_row <= index.rows().
Scanned scan_range(const Searchable& index, QueryContext& query, const RoutedSpan& routed,
                   const SearchPlan& plan, const IndexFilter& filter, uint64_t first_row,
                   uint64_t last_row, Shortlist& shortlist);

}  // namespace corvid

#endif  // CORVID_SEARCH_SCAN_H_
