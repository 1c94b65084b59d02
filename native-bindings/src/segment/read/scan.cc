#include "segment/read/scan.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/prefetch.h"
#include "segment/read/read_ahead.h"

namespace corvid {
namespace {

// Hits gathered before they are turned into candidates and the threshold is raised.
constexpr size_t kHits = 2048;

// Most rows that one call of a kernel is given; a multiple of kBlockRows.
constexpr uint64_t kCallRows = uint64_t{1} << 30;

constexpr uint32_t kMostSum = 255 * kTables;

float score_of(const ScanTables& tables, uint32_t sum) {
  return tables.base + tables.scale * static_cast<float>(sum);
}

// The least sum whose score is not below `worst`; kMostSum + 1 if there is none. Scores do not fall
// as sums grow, so a guess by division and a few steps find it exactly.
uint32_t least_sum(const ScanTables& tables, float worst) {
  const double guess = (static_cast<double>(worst) - tables.base) / tables.scale;
  uint32_t sum = guess <= 0 ? 0 : static_cast<uint32_t>(std::min(guess, double{kMostSum + 1}));
  while (sum > 0 && score_of(tables, sum - 1) >= worst) --sum;
  while (sum <= kMostSum && score_of(tables, sum) < worst) ++sum;
  return sum;
}

// Room for hits of the scanner that is at work on this thread.
ScanHit* hit_room() {
  static thread_local const std::unique_ptr<ScanHit[]> room(new ScanHit[kHits]);
  return room.get();
}

// As much of a list as the nearer caches take without losing what is in use.
void fetch_list(const Segment& segment, uint32_t list) {
  constexpr uint64_t kMostBytes = 8192;
  const uint64_t first_block = segment.list_first(list) / kBlockRows;
  const uint64_t rows = segment.list_first(list + 1) - segment.list_first(list);
  prefetch(segment.plane_64() + first_block * kBlockBytes,
           std::min(rows * kPlane64Bytes, kMostBytes));
}

// The records of a row.
void fetch_row(const Segment& segment, uint64_t row, size_t levels) {
  prefetch(segment.plane_64() + row / kBlockRows * kBlockBytes, kBlockBytes);
  for (size_t i = 1; i < levels; ++i) prefetch(segment.record_of(row, i), kCacheLineBytes);
}

// Adds a row of the list that `codes` is of; fewer than kLanes are there.
void add_code(const Segment& segment, uint64_t row, size_t levels, RowCodes& codes) {
  const size_t r = codes.count++;
  const uint8_t* lane = segment.plane_64() + row / kBlockRows * kBlockBytes + row % kBlockRows;
  for (size_t b = 0; b < kPlane64Bytes; ++b) codes.first[b * kLanes + r] = lane[b * kBlockRows];
  for (size_t i = 1; i < levels; ++i) codes.records[r][i] = segment.record_of(row, i);
}

// Norms of rows by 64 bits, those of one list together: what norms need of a list costs as much as
// those of a few rows.
void norms_of(const Segment& segment, QueryContext& query, const std::vector<Candidate>& rows,
              std::vector<float>& norms) {
  norms.assign(rows.size(), 0);
  std::vector<size_t> places;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (norms[i] > 0) continue;
    RowCodes codes;
    places.clear();
    for (size_t k = i; k < rows.size() && codes.count < kLanes; ++k) {
      if (rows[k].list != rows[i].list || norms[k] > 0) continue;
      add_code(segment, rows[k].row, 1, codes);
      places.push_back(k);
    }
    float own[kLanes];
    query.norms(rows[i].list, codes, 1, own);
    for (size_t r = 0; r < codes.count; ++r) norms[places[r]] = own[r];
  }
}

}  // namespace

Scanner::Scanner(const Segment& segment, QueryContext& query, const ScanSettings& settings,
                 Shortlist& shortlist)
    : segment_(segment),
      query_(query),
      settings_(settings),
      shortlist_(shortlist),
      hits_(hit_room()) {}

void Scanner::scan_list(uint32_t list, uint32_t next) {
  // While the tables of this list are built and its rows scanned, the next one's rows come near:
  // lists lie in memory at random, and waiting for them would take much of the time.
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
    const uint32_t threshold = least_sum(tables, shortlist_.worst_score());
    if (threshold > kMostSum) return;
    const ScanRange range{segment_.plane_64(), first_row,
                          static_cast<uint32_t>(std::min(last_row - first_row, kCallRows)),
                          filter == nullptr ? nullptr : filter->bits()};
    size_t hits = 0;
    const uint32_t consumed = scan(range, tables.bytes, threshold, hits_, kHits, &hits);
    keep(tables, list, first_row, hits);
    first_row += consumed;
  }
}

// Written without a branch on the score: whether a hit is kept is a coin toss early in a scan.
void Scanner::keep(const ScanTables& tables, uint32_t list, uint64_t first_row, size_t hits) {
  const float worst = shortlist_.worst_score();
  const uint64_t first = first_row + settings_.row_offset;
  Candidate* room = shortlist_.room(hits);
  size_t kept = 0;
  for (size_t i = 0; i < hits; ++i) {
    const float score = score_of(tables, hits_[i].sum);
    room[kept] = {score, list, first + hits_[i].row};
    kept += score >= worst;
  }
  if (settings_.stop != nullptr) {
    for (size_t i = 0; i < kept; ++i) settings_.stop->offer(room[i].score);
  }
  shortlist_.take(kept);
}

// Ranking by a/√n near θ is ranking by f = a − (t/2)n with t = θ/√n (ARCHITECTURE.md, src/codec).
// What counts is to rank the best rows well, not the shortlist's last ones, and the best have
// longer x̂ than others: so θ and n are those of rows that a guess ranks at the top. (A second
// round, with what the first one found as the guess, changes no recall.)
float estimate_norm_weight(const Segment& segment, QueryContext& query,
                           const std::vector<uint32_t>& lists, size_t limit) {
  constexpr size_t kTopShare = 10;      // a tenth of the shortlist is the top
  constexpr size_t kMostNormRows = 32;  // of which so many are looked at
  if (lists.empty()) return 0;
  const float mean_norm = segment.codec().mean_norm();
  const float guess = query.list_product(lists[0]) / (mean_norm * mean_norm);
  static thread_local Shortlist shortlist(0);
  shortlist.reset(limit / kTopShare + 1);
  Scanner scanner(segment, query, {Scoring::kAsymmetric, guess, nullptr}, shortlist);
  scanner.scan_lists(lists);
  const std::vector<Candidate>& top = shortlist.sorted();
  if (top.empty()) return guess;
  const size_t step = (top.size() + kMostNormRows - 1) / kMostNormRows;
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
