// The addon's entry point: registers the functions and classes of napi/ with Node. It holds no
// logic. JavaScript state is kept per environment, so worker threads may load the addon too.
#include <napi.h>

#include "napi/classes.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  corvid::init_base(env, exports);
  corvid::init_codec(env, exports);
  corvid::init_segment(env, exports);
  corvid::init_segment_writer(env, exports);
  corvid::init_search(env, exports);
  corvid::init_ground_truth(env, exports);
  corvid::init_packed(env, exports);
  return exports;
}

NODE_API_MODULE(corvid, Init)
