#include "segment/rows.h"

#include <algorithm>
#include <unordered_map>

namespace corvid {

std::vector<double> find_rows(const Segment& segment, const std::vector<uint64_t>& ids) {
  // Positions of each id in `ids`: usually one, but an id may be asked for twice.
  std::unordered_multimap<uint64_t, size_t> positions;
  for (size_t i = 0; i < ids.size(); ++i) positions.emplace(ids[i], i);
  const IdSet wanted(ids);
  std::vector<double> rows(ids.size(), -1);
  for (uint64_t row = 0; row < segment.rows(); ++row) {
    const uint64_t id = segment.id_of(row);
    if (!wanted.contains(id)) continue;
    const auto [first, last] = positions.equal_range(id);
    std::for_each(first, last,
                  [&](const auto& entry) { rows[entry.second] = static_cast<double>(row); });
  }
  return rows;
}

std::shared_ptr<const RowFilter> make_filter(const Segment& segment,
                                             std::optional<std::vector<uint64_t>> include,
                                             std::vector<uint64_t> exclude) {
  auto filter = std::make_shared<RowFilter>(segment.uuid(), segment.rows());
  const bool all = !include.has_value();
  const IdSet included(all ? std::vector<uint64_t>() : *std::move(include));
  const IdSet excluded(std::move(exclude));
  for (uint64_t row = 0; row < segment.rows(); ++row) {
    const uint64_t id = segment.id_of(row);
    if ((all || included.contains(id)) && !excluded.contains(id)) filter->keep(row);
  }
  return filter;
}

}  // namespace corvid
