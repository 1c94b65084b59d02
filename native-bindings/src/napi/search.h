// Face of the searcher towards JavaScript: NativeSearcher of src/native/addon.ts.
#ifndef CORVID_NAPI_SEARCH_H_
#define CORVID_NAPI_SEARCH_H_

#include <napi.h>

namespace corvid {

// Adds openSearcher to the addon's exports.
void init_search(Napi::Env env, Napi::Object exports);

}  // namespace corvid

#endif  // CORVID_NAPI_SEARCH_H_
