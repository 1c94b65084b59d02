// See bridge.h.
#ifndef CORVID_NAPI_SYNTHETIC_H_
#define CORVID_NAPI_SYNTHETIC_H_

#include <napi.h>

namespace corvid {

void init_synthetic(Napi::Env env, Napi::Object exports);

}  // namespace corvid

#endif  // CORVID_NAPI_SYNTHETIC_H_
