// JavaScript class NativeRowFilter (its type: src/native/segment.ts).
#ifndef CORVID_NAPI_ROW_FILTER_H_
#define CORVID_NAPI_ROW_FILTER_H_

#include <napi.h>

#include <memory>

#include "segment/read/row_filter.h"

namespace corvid {

// The class, for one environment: new_row_filter takes a reference to it.
Napi::Function define_row_filter(Napi::Env env);

// A new NativeRowFilter. Other threads find `filter` by the object's handle until it is freed.
Napi::Object new_row_filter(const Napi::FunctionReference& constructor,
                            std::shared_ptr<const RowFilter> filter);

}  // namespace corvid

#endif  // CORVID_NAPI_ROW_FILTER_H_
