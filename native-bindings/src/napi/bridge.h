// What every room's JavaScript face needs: errors, arguments, promises. Only the files of this
// folder and addon.cc see napi.h.
#ifndef CORVID_NAPI_BRIDGE_H_
#define CORVID_NAPI_BRIDGE_H_

#include <napi.h>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "codec/format/normalize.h"
#include "io/frame.h"

namespace corvid {

// The C++ exception being handled, as a JavaScript Error with the fields code, path, expected,
// actual, hint (ERR_MEMORY for bad_alloc, ERR_NATIVE for exceptions of other kinds). Call it within
// a catch block.
Napi::Error to_js(Napi::Env env);

// Runs `body` and throws its C++ exceptions as JavaScript ones. Wraps every exported function.
template <typename Body>
auto guarded(Napi::Env env, const Body& body) -> decltype(body()) {
  try {
    return body();
  } catch (...) {
    throw to_js(env);
  }
}

// Throws ERR_USAGE unless `holds`. TypeScript has validated already; this guards memory.
void require(bool holds, const char* what);

// Elements of a typed array argument of exactly this element type. Throws ERR_USAGE otherwise. The
// memory belongs to JavaScript and is valid while `value` is referenced.
template <typename Element>
struct View {
  Element* data = nullptr;
  size_t size = 0;
};
View<float> floats(const Napi::Value& value, const char* name);
View<double> doubles(const Napi::Value& value, const char* name);
View<uint32_t> uint32s(const Napi::Value& value, const char* name);
View<uint16_t> uint16s(const Napi::Value& value, const char* name);
View<uint8_t> bytes(const Napi::Value& value, const char* name);
View<int32_t> int32s(const Napi::Value& value, const char* name);
View<int8_t> int8s(const Napi::Value& value, const char* name);

// Item ids in a Float64Array: safe integers from 0, or ERR_USAGE.
std::vector<uint64_t> item_ids(const Napi::Value& value, const char* name);

// rows x dims as Float32Array, Uint16Array (halves) or Int8Array, as View.
RawVectors raw_vectors(const Napi::Value& value, size_t dims, const char* name);

// Of a file that may be open already; none if undefined.
std::optional<Uuid> known_uuid(const Napi::Value& value);

// A safe integer >= 0, or ERR_USAGE.
uint64_t natural(const Napi::Value& value, const char* name);

// A typed array that owns its memory, copied from `data`.
template <typename Array, typename Element>
Array copied(Napi::Env env, const Element* data, size_t count) {
  Array array = Array::New(env, count);
  if (count > 0) std::copy(data, data + count, array.Data());
  return array;
}

// Runs `work` on a thread of libuv's pool and settles the promise with what `finish` makes of it on
// the JavaScript thread. `keep` are arguments whose memory `work` reads: they stay alive until
// then.
Napi::Promise run_async(Napi::Env env, std::vector<Napi::Value> keep, std::function<void()> work,
                        std::function<Napi::Value(Napi::Env)> finish);

// One entry per room, called by addon.cc: adds its functions and classes to `exports`.
void init_base(Napi::Env env, Napi::Object exports);

}  // namespace corvid

#endif  // CORVID_NAPI_BRIDGE_H_
