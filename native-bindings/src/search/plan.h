// The plan of a search: which lists to scan, how many rows to keep, and how to score them.
//
// Plans are made in TypeScript (src/query/plan/plan.ts) and checked in napi/search_plan.cc.
#ifndef CORVID_SEARCH_PLAN_H_
#define CORVID_SEARCH_PLAN_H_

#include <cstddef>
#include <limits>
#include <memory>
#include <vector>

#include "segment/read/row_filter.h"
#include "segment/read/scan.h"

namespace corvid {

// The fields of SearchPlan in src/native/search.ts.
struct SearchPlan {
  Scoring scoring = Scoring::kAsymmetric;
  size_t wanted = 0;      // items to return
  size_t probes = 0;      // lists to scan, unless scan_all
  bool scan_all = false;  // scan all rows
  size_t shortlist = 0;   // rows kept by the scan
  size_t min_rows = 0;    // a scan of lists does not end early with fewer rows in the shortlist
  // A scan of lists ends early when the log odds that the next list holds one of the best rows fall
  // below this (segment/read/stop.h). Minus infinity: it never ends early.
  float stop_log_odds = -std::numeric_limits<float>::infinity();
  // The norm weight is estimated for the score at this rank within the `norm_lists` nearest lists.
  size_t norm_rank = 1;
  size_t norm_lists = 0;
  size_t refine_levels = 0;  // refine the shortlist by the first so many levels; 0: do not
  bool rescore = false;      // rescore the shortlist by the stored vectors

  // The number of lists that a query is routed to.
  size_t routed_lists() const { return scan_all ? norm_lists : probes; }
  // Whether the shortlist is refined or rescored.
  bool scores_anew() const { return refine_levels > 0 || rescore; }
};

// Which rows of a segment a search may return.
struct SegmentFilter {
  std::shared_ptr<const RowFilter> rows;  // null: all rows, unless `none`
  bool none = false;                      // no row
};

// One filter for each segment. Empty: all rows.
using IndexFilter = std::vector<SegmentFilter>;

}  // namespace corvid

#endif  // CORVID_SEARCH_PLAN_H_
