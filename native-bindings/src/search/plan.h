// What the searcher is asked of a query: how far to look, and how to score what it finds.
#ifndef CORVID_SEARCH_PLAN_H_
#define CORVID_SEARCH_PLAN_H_

#include <cstddef>
#include <limits>
#include <memory>
#include <vector>

#include "segment/read/row_filter.h"
#include "segment/read/scan.h"

namespace corvid {

// As SearchPlan of src/native/search.ts, which names and explains the same fields.
struct SearchPlan {
  Scoring scoring = Scoring::kAsymmetric;
  size_t wanted = 0;  // items
  size_t probes = 0;  // lists scanned at most, unless all are
  bool scan_all = false;
  size_t shortlist = 0;  // rows
  size_t min_rows = 0;   // a scan of lists does not end early before it has met so many rows
  // A scan of lists ends where the log odds that the next list holds one of the best rows fall
  // below this (stop.h); minus infinity: it never ends early.
  float stop_log_odds = -std::numeric_limits<float>::infinity();
  // The weight of the norm is estimated from the score at this rank within so many nearest lists.
  size_t norm_rank = 1;
  size_t norm_lists = 0;
  size_t refine_levels = 0;  // score the shortlist by so many levels of the code; 0: do not
  bool rescore = false;      // score it by the stored vectors

  // Lists that a query is routed to.
  size_t routed_lists() const { return scan_all ? norm_lists : probes; }
  // Whether the shortlist is scored anew.
  bool scores_anew() const { return refine_levels > 0 || rescore; }
};

// Which rows of a segment a search may return.
struct SegmentFilter {
  std::shared_ptr<const RowFilter> rows;  // null: all rows of the segment ...
  bool none = false;                      // ... or not one
};

// One for each segment; empty: all rows.
using IndexFilter = std::vector<SegmentFilter>;

}  // namespace corvid

#endif  // CORVID_SEARCH_PLAN_H_
