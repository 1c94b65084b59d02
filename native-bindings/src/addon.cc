// The addon's entry point: registers the functions and classes of napi/ with Node. It holds no
// logic. JavaScript state is kept per environment, so worker threads may load the addon too.
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
