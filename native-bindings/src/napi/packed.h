// Face of packed codes towards JavaScript: NativePackedCodes of src/native/addon.ts.
#ifndef CORVID_NAPI_PACKED_H_
#define CORVID_NAPI_PACKED_H_

#include <napi.h>

namespace corvid {

// Adds PackedCodes to the addon's exports.
void init_packed(Napi::Env env, Napi::Object exports);

}  // namespace corvid

#endif  // CORVID_NAPI_PACKED_H_
