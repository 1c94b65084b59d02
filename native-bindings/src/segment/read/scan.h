// Scans of a segment's 64-bit plane, and more precise scores of single rows.
//
// Results are the same on every machine and for every split of the lists or rows: the order of the
// arithmetic that builds tables is fixed, sums are integers, a score is one multiplication and one
// addition, and the shortlist has a total order. Which lists to scan is decided in search/scan.h.
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
  StopRule* stop = nullptr;           // is offered every score that is kept; or null
};

// Scans lists or rows and keeps the best in a shortlist. For one thread; may be called repeatedly.
class Scanner {
 public:
  // All arguments must outlive the scanner.
  Scanner(const Segment& segment, QueryContext& query, const ScanSettings& settings,
          Shortlist& shortlist);

  // `next` is the list that will be scanned afterwards, or `list` if there is none: its rows are
  // prefetched. Both must be below segment().lists().
  void scan_list(uint32_t list, uint32_t next);
  // Precondition: each is below segment().lists(), and none occurs twice.
  void scan_lists(const std::vector<uint32_t>& lists);
  // Scans rows [first_row, last_row), which may span lists; last_row <= segment().rows().
  void scan_rows(uint64_t first_row, uint64_t last_row);

  const Segment& segment() const { return segment_; }
  // Rows scanned so far, including those that the filter rejects.
  uint64_t scanned_rows() const { return scanned_rows_; }

 private:
  void scan_within(uint32_t list, uint64_t first_row, uint64_t last_row);
  void keep(const ScanTables& tables, uint32_t list, uint64_t first_row, size_t hits);

  const Segment& segment_;
  QueryContext& query_;
  ScanSettings settings_;
  Shortlist& shortlist_;
  uint64_t scanned_rows_ = 0;
  ScanHit* hits_;  // this thread's buffer
};

// The norm weight for a shortlist of `limit` rows, estimated from `lists` (the nearest few, each
// below segment.lists()): t = θ / √n, where θ is the cosine at the rank that matters and n = ‖x̂‖².
// An error of a tenth costs no recall.
float estimate_norm_weight(const Segment& segment, QueryContext& query,
                           const std::vector<uint32_t>& lists, size_t limit);

// Sets the scores of `count` candidates to their cosines as estimated from the first `levels`
// levels; 1 <= levels <= segment.usable_levels(). Row numbers are those of the segment plus
// `row_offset`. Fastest where rows of the same list are adjacent.
void refine_rows(const Segment& segment, QueryContext& query, uint64_t row_offset, size_t levels,
                 Candidate* candidates, size_t count);

// The same from the stored vectors. Precondition: segment.has_vectors().
void rescore_rows(const Segment& segment, QueryContext& query, uint64_t row_offset,
                  Candidate* candidates, size_t count);

// The embedding of a row, of unit length, from its stored vector, or else decoded from all usable
// levels: codec.dims() numbers into `out`.
void reconstruct_row(const Segment& segment, uint64_t row, float* out);

}  // namespace corvid

#endif  // CORVID_SEGMENT_READ_SCAN_H_
