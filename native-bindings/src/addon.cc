// Registers the addon's surface with Node. No logic lives here.
#include <napi.h>

static Napi::Object Init(Napi::Env, Napi::Object exports) { return exports; }

NODE_API_MODULE(corvid, Init)
