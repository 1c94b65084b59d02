// Exhaustive search: scores every row of a range by the plan's last step, without a scan at
// level 64.
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

// Leaves the best plan.wanted rows of [first_row, last_row) in memory.candidates. Returns the
// number of rows scored, or no value if `cancelled` returned true; it is called every few
// milliseconds. Preconditions: plan.scores_anew(), last_row <= index.rows().
std::optional<uint64_t> sweep_range(const Searchable& index, QueryContext& query,
                                    const SearchPlan& plan, const IndexFilter& filter,
                                    uint64_t first_row, uint64_t last_row,
                                    const std::function<bool()>& cancelled, SearchMemory& memory);

}  // namespace corvid

#endif  // CORVID_SEARCH_SWEEP_H_
