// What the searcher is asked: how far to look, and what to do with what it finds.
#ifndef CORVID_SEARCH_PLAN_H_
#define CORVID_SEARCH_PLAN_H_

#include <cstddef>
#include <limits>
#include <memory>
#include <vector>

#include "segment/read/row_filter.h"
#include "segment/read/scan.h"

namespace corvid {

// Which rows of each segment a search may return; no entry at all: all rows.
struct SegmentFilter {
  std::shared_ptr<const RowFilter> rows;  // null: all rows of the segment ...
  bool none = false;                      // ... or not one
};

// From a query to a shortlist of its best rows by 64 bits.
struct ScanPlan {
  Scoring scoring = Scoring::kAsymmetric;
  size_t limit = 0;         // rows of the shortlist
  size_t enough = 0;        // a scan of lists does not end early before it has met so many rows
  bool everywhere = false;  // scan all rows; else the lists that the query was routed to
  // The weight of the norm is estimated from the score at this rank within so many nearest lists.
  size_t norm_rank = 1;
  size_t nearest = 0;
  // A scan of lists ends where the log odds that the next list holds one of the best rows fall
  // below this (stop.h); minus infinity: it never ends early.
  float stop = -std::numeric_limits<float>::infinity();
  std::vector<SegmentFilter> filters;
};

struct RefineStep {
  size_t levels;  // score by so many levels of the code,
  size_t keep;    // and keep the best of these
};

// From a shortlist to the best items.
struct FinishPlan {
  std::vector<RefineStep> refine;
  bool rescore = false;  // by the stored vectors, after refining
  bool hamming = false;  // the scan's scores are counts of agreeing bits
  size_t wanted = 0;     // items
};

}  // namespace corvid

#endif  // CORVID_SEARCH_PLAN_H_
