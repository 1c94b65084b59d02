// Plans and filters as JavaScript gives them to the searcher, checked against the index.
#ifndef CORVID_NAPI_SEARCH_PLAN_H_
#define CORVID_NAPI_SEARCH_PLAN_H_

#include <napi.h>

#include "search/plan.h"
#include "search/searchable.h"

namespace corvid {

// A SearchPlan of src/native/search.ts. Throws ERR_USAGE for what the index cannot do,
// ERR_NOT_FOUND where it has no vectors to rescore with.
SearchPlan search_plan(const Searchable& index, const Napi::Value& value);

// FilterHandles of src/native/search.ts. Throws ERR_CLOSED for a filter that was freed.
IndexFilter index_filter(const Searchable& index, const Napi::Value& value);

}  // namespace corvid

#endif  // CORVID_NAPI_SEARCH_PLAN_H_
