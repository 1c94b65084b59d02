// Passes over the ids of a segment, and copies of its rows.
#include "segment/read/rows.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "io/format.h"
#include "segment/read/read_ahead.h"

namespace corvid {
namespace {

// A pass over all ids reads them ahead in steps of this many.
constexpr uint64_t kIdsAhead = uint64_t{1} << 20;

template <typename Use>
void for_all_ids(const Segment& segment, const Use& use) {
  for (uint64_t row = 0; row < segment.rows(); ++row) {
    if (row % kIdsAhead == 0) read_ahead_ids(segment, row, 2 * kIdsAhead);
    use(row, segment.id_of(row));
  }
}

}  // namespace

std::vector<double> find_rows(const Segment& segment, const std::vector<uint64_t>& ids) {
  // Positions of each id in `ids`: usually one, but an id may occur twice.
  std::unordered_multimap<uint64_t, size_t> positions;
  for (size_t i = 0; i < ids.size(); ++i) positions.emplace(ids[i], i);
  const IdSet id_set(ids);
  std::vector<double> rows(ids.size(), -1);
  for_all_ids(segment, [&](uint64_t row, uint64_t id) {
    if (!id_set.contains(id)) return;
    const auto [first, last] = positions.equal_range(id);
    std::for_each(first, last,
                  [&](const auto& entry) { rows[entry.second] = static_cast<double>(row); });
  });
  return rows;
}

std::shared_ptr<const RowFilter> make_filter(const Segment& segment,
                                             std::optional<std::vector<uint64_t>> include,
                                             std::vector<uint64_t> exclude) {
  auto filter = std::make_shared<RowFilter>(segment.uuid(), segment.rows());
  const bool all = !include.has_value();
  const IdSet included(all ? std::vector<uint64_t>() : *std::move(include));
  const IdSet excluded(std::move(exclude));
  for_all_ids(segment, [&](uint64_t row, uint64_t id) {
    if ((all || included.contains(id)) && !excluded.contains(id)) filter->keep(row);
  });
  return filter;
}

size_t code_bytes(const Segment& segment) {
  size_t bytes = 0;
  for (size_t i = 0; i < segment.codec().level_count(); ++i) {
    bytes += plane_stride_bytes(segment.codec().level_bits(i));
  }
  return bytes;
}

void copy_rows(const Segment& segment, const double* row_ids, size_t count, uint32_t* lists,
               uint8_t* codes, int8_t* vectors) {
  const Codec& codec = segment.codec();
  if (segment.usable_levels() < codec.level_count() ||
      (vectors != nullptr && !segment.has_vectors())) {
    throw Error("ERR_NOT_FOUND", "a file of this segment is missing, so its rows cannot be copied")
        .path(segment.folder())
        .hint("put the missing plane back, or build the index again");
  }
  const std::vector<Candidate> rows = candidates_of(row_ids, count);
  read_ahead_records(segment, 0, codec.level_count(), rows.data(), count);
  if (vectors != nullptr) read_ahead_vectors(segment, 0, rows.data(), count);
  for (size_t i = 0; i < count; ++i) {
    const uint64_t row = rows[i].row;
    uint8_t first_record[kPlane64Bytes];
    const RowCode code = segment.code_of(row, first_record);
    lists[i] = segment.list_of(row);
    for (size_t level = 0; level < codec.level_count(); ++level) {
      const size_t stride = plane_stride_bytes(codec.level_bits(level));
      codes = std::copy_n(code.records[level], stride, codes);
    }
    if (vectors != nullptr) vectors = std::copy_n(segment.vector_of(row), codec.dims(), vectors);
  }
}

}  // namespace corvid
