// Scanning the 64-bit plane of a segment, and scoring single rows more finely.
//
// All results are the same on every machine and for every split of the lists or rows: tables come
// from ordered arithmetic, sums are integers, a score is one multiply and one add, and the best are
// kept under a total order.
#ifndef CORVID_SEGMENT_READ_SCAN_H_
#define CORVID_SEGMENT_READ_SCAN_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "codec/query/query.h"
#include "segment/read/row_filter.h"
#include "segment/read/segment.h"
#include "segment/read/shortlist.h"
#include "segment/read/stop.h"

namespace corvid {

enum class Scoring { kAsymmetric, kHamming };

struct ScanSettings {
  Scoring scoring = Scoring::kAsymmetric;
  float norm_weight = 0;              // t = θ / √n, for kAsymmetric
  const RowFilter* filter = nullptr;  // of this segment, or null
  uint64_t row_offset = 0;            // added to every row in the shortlist
  StopRule* stop = nullptr;           // told of every score that is kept, or null
};

// Scans some lists or rows after one another, and keeps the best. One thread; reusable.
class Scanner {
 public:
  // Everything must outlive the scanner.
  Scanner(const Segment& segment, QueryContext& query, const ScanSettings& settings,
          Shortlist& shortlist);

  // `next` is the list that will be scanned afterwards, or the same again: its rows come near
  // meanwhile. Both below segment().lists().
  void scan_list(uint32_t list, uint32_t next);
  // Precondition: each below segment().lists(), none twice.
  void scan_lists(const std::vector<uint32_t>& lists);
  // Rows [first_row, last_row) of whatever lists; last_row <= segment.rows().
  void scan_rows(uint64_t first_row, uint64_t last_row);

  const Segment& segment() const { return segment_; }
  // Rows looked at so far, filtered ones included.
  uint64_t scanned_rows() const { return scanned_rows_; }

 private:
  void scan_within(uint32_t list, uint64_t first_row, uint64_t last_row);
  void keep(const ScanTables& tables, uint32_t list, uint64_t first_row, size_t hits);

  const Segment& segment_;
  QueryContext& query_;
  ScanSettings settings_;
  Shortlist& shortlist_;
  uint64_t scanned_rows_ = 0;
  ScanHit* hits_;  // the thread's
};

// The norm weight for a shortlist of `limit` rows, estimated from `lists` (the nearest few; numbers
// below segment.lists()): t = θ / √n, where θ is the cosine at the wanted rank and n = ‖x̂‖². A
// rough estimate is good enough.
float estimate_norm_weight(const Segment& segment, QueryContext& query,
                           const std::vector<uint32_t>& lists, size_t limit);

// Sets the score of `count` candidates, whose rows are those of the segment plus `row_offset`, to
// their estimated cosine by the first `levels` levels; 1 <= levels <= segment.usable_levels().
// Cheapest where rows of a list follow one another.
void refine_rows(const Segment& segment, QueryContext& query, uint64_t row_offset, size_t levels,
                 Candidate* candidates, size_t count);

// The embedding of a row, of unit length, from its stored vector or else decoded from all usable
// levels: codec.dims() numbers into `out`.
void reconstruct_row(const Segment& segment, uint64_t row, float* out);

// The same by the stored vectors. Precondition: segment.has_vectors().
void rescore_rows(const Segment& segment, QueryContext& query, uint64_t row_offset,
                  Candidate* candidates, size_t count);

}  // namespace corvid

#endif  // CORVID_SEGMENT_READ_SCAN_H_
