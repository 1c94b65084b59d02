// Exhaustive search: every row of a range scored by the plan's last step, without a shortlist.
#ifndef CORVID_SEARCH_SWEEP_H_
#define CORVID_SEARCH_SWEEP_H_

#include <cstdint>
#include <functional>
#include <optional>

#include "codec/query/query.h"
#include "search/finish.h"
#include "search/plan.h"
#include "search/searchable.h"

namespace corvid {

// Leaves the best plan.wanted rows of [first_row, last_row) in memory.candidates.
// plan.scores_anew() and last_row <= index.rows(). Returns the rows scored, or nothing if
// `cancelled` became true, which is asked every few milliseconds.
std::optional<uint64_t> sweep_range(const Searchable& index, QueryContext& query,
                                    const SearchPlan& plan, const IndexFilter& filter,
                                    uint64_t first_row, uint64_t last_row,
                                    const std::function<bool()>& cancelled, SearchMemory& memory);

}  // namespace corvid

#endif  // CORVID_SEARCH_SWEEP_H_
