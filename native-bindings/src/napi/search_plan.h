// Search plans and filters as C++ values, converted from JavaScript and checked against the index.
#ifndef CORVID_NAPI_SEARCH_PLAN_H_
#define CORVID_NAPI_SEARCH_PLAN_H_

#include <napi.h>

#include "search/plan.h"
#include "search/searchable.h"

namespace corvid {

// From a SearchPlan of src/native/search.ts. Throws ERR_USAGE for a plan that the index cannot
// carry out, and ERR_NOT_FOUND if it has no vectors to rescore with.
SearchPlan search_plan(const Searchable& index, const Napi::Value& value);

// From FilterHandles of src/native/search.ts. Throws ERR_CLOSED for a filter that was freed.
IndexFilter index_filter(const Searchable& index, const Napi::Value& value);

}  // namespace corvid

#endif  // CORVID_NAPI_SEARCH_PLAN_H_
