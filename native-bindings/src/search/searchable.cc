// Maps global rows to segments.
#include "search/searchable.h"

#include <utility>

#include "segment/read/rows.h"
#include "segment/read/scan.h"

namespace corvid {

Searchable::Searchable(std::shared_ptr<const Codec> codec_of_all,
                       std::vector<std::shared_ptr<const Segment>> all)
    : codec(std::move(codec_of_all)), segments(std::move(all)), first_rows{0} {
  for (const auto& segment : segments) first_rows.push_back(first_rows.back() + segment->rows());
}

size_t Searchable::segment_of(uint64_t row) const {
  size_t segment = 0;
  while (row >= first_rows[segment + 1]) ++segment;
  return segment;
}

uint64_t Searchable::id_of(uint64_t row) const {
  const size_t segment = segment_of(row);
  return segments[segment]->id_of(row - first_rows[segment]);
}

std::vector<double> Searchable::find_rows(const std::vector<uint64_t>& ids) const {
  std::vector<double> rows(ids.size(), -1);
  for (size_t s = 0; s < segments.size(); ++s) {
    const std::vector<double> found = corvid::find_rows(*segments[s], ids);
    for (size_t i = 0; i < ids.size(); ++i) {
      if (found[i] >= 0) rows[i] = static_cast<double>(first_rows[s]) + found[i];
    }
  }
  return rows;
}

void Searchable::reconstruct(uint64_t row, float* out) const {
  const size_t segment = segment_of(row);
  reconstruct_row(*segments[segment], row - first_rows[segment], out);
}

}  // namespace corvid
