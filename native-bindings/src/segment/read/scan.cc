// The loops around the kernels: thresholds, hits, and blocks of rows of one list.
#include "segment/read/scan.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/prefetch.h"
#include "segment/read/read_ahead.h"

namespace corvid {
namespace {

// Hits of one kernel call at most. Then they become candidates, and the threshold is raised.
constexpr size_t kHits = 2048;

// Rows of one kernel call at most; a multiple of kBlockRows.
constexpr uint64_t kCallRows = uint64_t{1} << 30;

constexpr uint32_t kMaxSum = 255 * kTables;

float score_of(const ScanTables& tables, uint32_t sum) {
  return tables.base + tables.scale * static_cast<float>(sum);
}

// The smallest sum whose score is at least `worst`; kMaxSum + 1 if there is none. Scores never
// decrease as sums grow, so an estimate by division and a few steps find it exactly.
uint32_t min_sum(const ScanTables& tables, float worst) {
  const double estimate = (static_cast<double>(worst) - tables.base) / tables.scale;
  uint32_t sum = estimate <= 0 ? 0 : static_cast<uint32_t>(std::min(estimate, double{kMaxSum + 1}));
  while (sum > 0 && score_of(tables, sum - 1) >= worst) --sum;
  while (sum <= kMaxSum && score_of(tables, sum) < worst) ++sum;
  return sum;
}

// The hit buffer of this thread, used by one scanner at a time.
ScanHit* hit_buffer() {
  static thread_local const std::unique_ptr<ScanHit[]> buffer(new ScanHit[kHits]);
  return buffer.get();
}

// Prefetches as much of a list as the caches hold without evicting what is in use.
void fetch_list(const Segment& segment, uint32_t list) {
  constexpr uint64_t kMaxBytes = 8192;
  const uint64_t first_block = segment.list_first(list) / kBlockRows;
  const uint64_t rows = segment.list_first(list + 1) - segment.list_first(list);
  prefetch(segment.plane_64() + first_block * kBlockBytes,
           std::min(rows * kPlane64Bytes, kMaxBytes));
}

// Prefetches the records of a row.
void fetch_row(const Segment& segment, uint64_t row, size_t levels) {
  prefetch(segment.plane_64() + row / kBlockRows * kBlockBytes, kBlockBytes);
  for (size_t i = 1; i < levels; ++i) prefetch(segment.record_of(row, i), kCacheLineBytes);
}

// Adds a row to `codes`, which holds fewer than kLanes rows, all of the same list.
void add_code(const Segment& segment, uint64_t row, size_t levels, RowCodes& codes) {
  const size_t r = codes.count++;
  segment.copy_record_64(row, codes.first + r, kLanes);
  for (size_t i = 1; i < levels; ++i) codes.records[r][i] = segment.record_of(row, i);
}

// Norms of rows at level 64. Rows of the same list are grouped, because the set-up for a list costs
// as much as the norms of a few rows.
void norms_of(const Segment& segment, QueryContext& query, const std::vector<Candidate>& rows,
              std::vector<float>& norms) {
  norms.assign(rows.size(), 0);
  std::vector<size_t> positions;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (norms[i] > 0) continue;
    RowCodes codes;
    positions.clear();
    for (size_t k = i; k < rows.size() && codes.count < kLanes; ++k) {
      if (rows[k].list != rows[i].list || norms[k] > 0) continue;
      add_code(segment, rows[k].row, 1, codes);
      positions.push_back(k);
    }
    float list_norms[kLanes];
    query.norms(rows[i].list, codes, 1, list_norms);
    for (size_t r = 0; r < codes.count; ++r) norms[positions[r]] = list_norms[r];
  }
}

}  // namespace

Scanner::Scanner(const Segment& segment, QueryContext& query, const ScanSettings& settings,
                 Shortlist& shortlist)
    : segment_(segment),
      query_(query),
      settings_(settings),
      shortlist_(shortlist),
      hits_(hit_buffer()) {}

void Scanner::scan_list(uint32_t list, uint32_t next) {
  // Prefetch the next list while this one is scanned: lists lie at random places in memory.
  fetch_list(segment_, next);
  query_.fetch_list(next);
  scan_within(list, segment_.list_first(list), segment_.list_first(list + 1));
}

void Scanner::scan_lists(const std::vector<uint32_t>& lists) {
  for (size_t i = 0; i < lists.size(); ++i) {
    scan_list(lists[i], lists[std::min(i + 1, lists.size() - 1)]);
  }
}

void Scanner::scan_rows(uint64_t first_row, uint64_t last_row) {
  if (first_row >= last_row) return;
  for (uint32_t list = segment_.list_of(first_row); first_row < last_row; ++list) {
    const uint64_t end = std::min(last_row, segment_.list_first(list + 1));
    scan_within(list, first_row, end);
    first_row = end;
  }
}

void Scanner::scan_within(uint32_t list, uint64_t first_row, uint64_t last_row) {
  scanned_rows_ += last_row - first_row;
  const RowFilter* filter = settings_.filter;
  if (filter == nullptr ? first_row == last_row : !filter->keeps_any(first_row, last_row)) return;
  ScanTables tables;
  if (settings_.scoring == Scoring::kHamming) {
    query_.build_hamming_tables(list, &tables);
  } else {
    query_.build_tables(list, settings_.norm_weight, &tables);
  }
  const auto scan = kernels().scan_tables;
  while (first_row < last_row) {
    const uint32_t threshold = min_sum(tables, shortlist_.worst_score());
    if (threshold > kMaxSum) return;
    const ScanRange range{segment_.plane_64(), first_row,
                          static_cast<uint32_t>(std::min(last_row - first_row, kCallRows)),
                          filter == nullptr ? nullptr : filter->bits()};
    size_t hits = 0;
    const uint32_t consumed = scan(range, tables.bytes, threshold, hits_, kHits, &hits);
    keep(tables, list, first_row, hits);
    first_row += consumed;
  }
}

// Without a branch on the score, which would be unpredictable early in a scan.
void Scanner::keep(const ScanTables& tables, uint32_t list, uint64_t first_row, size_t hits) {
  const float worst = shortlist_.worst_score();
  const uint64_t first = first_row + settings_.row_offset;
  Candidate* out = shortlist_.reserve(hits);
  size_t kept = 0;
  for (size_t i = 0; i < hits; ++i) {
    const float score = score_of(tables, hits_[i].sum);
    out[kept] = {score, list, first + hits_[i].row};
    kept += score >= worst;
  }
  if (settings_.stop != nullptr) {
    for (size_t i = 0; i < kept; ++i) settings_.stop->offer(out[i].score);
  }
  shortlist_.take(kept);
}

// Ranking by a/√n near θ is ranking by f = a − (t/2)n with t = θ/√n (docs/internals/codec.md).
// The best rows must be ranked well, rather than the last ones of the shortlist, and the best rows
// have a longer x̂ than others. So θ and n are taken from the rows that an initial weight ranks at
// the top. (A second iteration, starting from the result of the first, does not change recall.)
float estimate_norm_weight(const Segment& segment, QueryContext& query,
                           const std::vector<uint32_t>& lists, size_t limit) {
  constexpr size_t kTopShare = 10;     // the top is a tenth of the shortlist
  constexpr size_t kMaxNormRows = 32;  // rows of the top that are sampled
  if (lists.empty()) return 0;
  const float mean_norm = segment.codec().mean_norm();
  const float initial = query.list_product(lists[0]) / (mean_norm * mean_norm);
  static thread_local Shortlist shortlist(0);
  shortlist.reset(limit / kTopShare + 1);
  Scanner scanner(segment, query, {Scoring::kAsymmetric, initial, nullptr}, shortlist);
  scanner.scan_lists(lists);
  const std::vector<Candidate>& top = shortlist.sorted();
  if (top.empty()) return initial;
  const size_t step = (top.size() + kMaxNormRows - 1) / kMaxNormRows;
  static thread_local std::vector<Candidate> chosen;
  static thread_local std::vector<float> norms;
  chosen.clear();
  for (size_t i = (top.size() - 1) % step; i < top.size(); i += step) chosen.push_back(top[i]);
  norms_of(segment, query, chosen, norms);
  float sum = 0;
  for (float norm : norms) sum += norm * norm;
  RowCodes last;
  add_code(segment, chosen.back().row, 1, last);
  float score;
  query.score(chosen.back().list, last, 1, &score);
  return score / std::sqrt(sum / static_cast<float>(norms.size()));
}

void refine_rows(const Segment& segment, QueryContext& query, uint64_t row_offset, size_t levels,
                 Candidate* candidates, size_t count) {
  constexpr size_t kRowsAhead = 8;
  read_ahead_records(segment, row_offset, levels, candidates, count);
  for (size_t i = 0; i < count;) {
    const size_t first = i;
    const uint64_t first_row = candidates[i].row - row_offset;
    const uint32_t known = candidates[i].list;
    const uint32_t list = known == kUnknownList ? segment.list_of(first_row) : known;
    const uint64_t list_first = segment.list_first(list), list_end = segment.list_first(list + 1);
    RowCodes codes;
    for (; i < count && codes.count < kLanes; ++i) {
      const uint64_t row = candidates[i].row - row_offset;
      if (i > first && (row < list_first || row >= list_end)) break;
      if (i + kRowsAhead < count) {
        fetch_row(segment, candidates[i + kRowsAhead].row - row_offset, levels);
      }
      add_code(segment, row, levels, codes);
    }
    float scores[kLanes];
    query.score(list, codes, levels, scores);
    for (size_t r = 0; r < codes.count; ++r) candidates[first + r].score = scores[r];
  }
}

void rescore_rows(const Segment& segment, QueryContext& query, uint64_t row_offset,
                  Candidate* candidates, size_t count) {
  read_ahead_vectors(segment, row_offset, candidates, count);
  for (size_t i = 0; i < count; ++i) {
    candidates[i].score = query.score_vector(segment.vector_of(candidates[i].row - row_offset));
  }
}

void reconstruct_row(const Segment& segment, uint64_t row, float* out) {
  if (segment.has_vectors()) {
    decode_vector(segment.codec(), segment.vector_of(row), out);
    return;
  }
  uint8_t first_record[kPlane64Bytes];
  decode_row(segment.codec(), segment.list_of(row), segment.code_of(row, first_record),
             segment.usable_levels(), out);
}

}  // namespace corvid
