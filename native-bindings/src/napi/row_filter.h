// Face of row filters towards JavaScript: NativeRowFilter of src/native/addon.ts.
#ifndef CORVID_NAPI_ROW_FILTER_H_
#define CORVID_NAPI_ROW_FILTER_H_

#include <napi.h>

#include <memory>

#include "segment/read/row_filter.h"

namespace corvid {

// What new_row_filter needs, for one environment.
Napi::Function define_row_filter(Napi::Env env);

// A NativeRowFilter of `filter`, which other threads find by its handle until it is freed.
Napi::Object new_row_filter(const Napi::FunctionReference& constructor,
                            std::shared_ptr<const RowFilter> filter);

}  // namespace corvid

#endif  // CORVID_NAPI_ROW_FILTER_H_
