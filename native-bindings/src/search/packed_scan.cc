// Collects hits within a threshold, which falls as better rows are found.
#include "search/packed_scan.h"

#include <algorithm>

#include "simd/contract.h"

namespace corvid {
namespace {

// Rows of one kernel call at most, whose row numbers have 32 bits.
constexpr uint64_t kCallRows = uint64_t{1} << 20;
// Hits collected beyond the limit before they are cut to it.
constexpr size_t kSpareHits = 1024;

bool better(const PackedHit& a, const PackedHit& b) {
  return a.distance_bits != b.distance_bits ? a.distance_bits < b.distance_bits : a.row < b.row;
}

}  // namespace

std::vector<PackedHit> packed_scan(const uint8_t* codes, size_t stride_bytes, uint64_t rows,
                                   const uint8_t* query, size_t limit) {
  std::vector<PackedHit> best;
  if (limit == 0) return best;
  std::vector<ScanHit> found(kSpareHits + kBlockRows);
  // Rows come in ascending order. Once there are `limit` hits, a later row must be nearer than the
  // worst of them, because of two rows at the same distance the first one ranks higher.
  int64_t threshold = static_cast<int64_t>(stride_bytes) * 8;
  const auto trim = [&] {
    if (best.size() < limit) return;
    std::nth_element(best.begin(), best.begin() + (limit - 1), best.end(), better);
    best.resize(limit);
    threshold = int64_t{best[limit - 1].distance_bits} - 1;
  };
  for (uint64_t row = 0; row < rows && threshold >= 0;) {
    const auto call_rows = static_cast<uint32_t>(std::min(kCallRows, rows - row));
    size_t count = 0;
    const uint32_t consumed = kernels().scan_hamming(
        codes + row * stride_bytes, stride_bytes, row, call_rows, query,
        static_cast<uint32_t>(threshold), nullptr, found.data(), found.size(), &count);
    for (size_t i = 0; i < count; ++i) {
      best.push_back({row + found[i].row, static_cast<uint16_t>(found[i].sum)});
    }
    if (best.size() >= limit + kSpareHits || (consumed == call_rows && best.size() > limit)) trim();
    row += consumed;
  }
  std::sort(best.begin(), best.end(), better);
  if (best.size() > limit) best.resize(limit);
  return best;
}

}  // namespace corvid
