// Registers every room's face with Node. No logic lives here. The addon keeps its JavaScript state
// per environment, so that worker threads may load it too.
#include <napi.h>

#include "napi/bridge.h"
#include "napi/codec.h"
#include "napi/ground_truth.h"
#include "napi/packed.h"
#include "napi/search.h"
#include "napi/segment.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  corvid::init_base(env, exports);
  corvid::init_codec(env, exports);
  corvid::init_segment(env, exports);
  corvid::init_search(env, exports);
  corvid::init_ground_truth(env, exports);
  corvid::init_packed(env, exports);
  return exports;
}

NODE_API_MODULE(corvid, Init)
