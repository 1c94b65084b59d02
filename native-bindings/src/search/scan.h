// From a query to a shortlist of its best rows by 64 bits: over the lists it was routed to, or over
// a range of all rows.
//
// One thread. Orders are total (score descending, then row ascending), so the shortlist depends on
// the query and the plan alone, and shortlists of disjoint ranges merge into that of all rows.
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
  uint64_t rows = 0;   // looked at
  uint32_t lists = 0;  // scanned
};

// The lists of one query, most similar first; belongs to the caller.
struct RoutedSpan {
  const RoutedList* lists;
  size_t size;
};

// Scans by `plan` and leaves the best rows in `shortlist`, which it resets. `routed`: the query's
// lists, most similar first, plan.routed_lists() of them. Where they give less than plan.wanted
// rows, further lists are scanned, ever more of them, until there are enough or no list is left.
Scanned scan_index(const Searchable& index, QueryContext& query, const RoutedSpan& routed,
                   const SearchPlan& plan, const IndexFilter& filter, Shortlist& shortlist);

// The same over rows [first_row, last_row), whatever their lists; last_row <= index.rows().
Scanned scan_range(const Searchable& index, QueryContext& query, const RoutedSpan& routed,
                   const SearchPlan& plan, const IndexFilter& filter, uint64_t first_row,
                   uint64_t last_row, Shortlist& shortlist);

}  // namespace corvid

#endif  // CORVID_SEARCH_SCAN_H_
