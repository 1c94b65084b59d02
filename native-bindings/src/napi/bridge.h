// What all JavaScript classes of this folder share: errors, arguments, promises.
//
// Only this folder, addon.cc and the bench addon include napi.h.
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
// actual, hint (code ERR_MEMORY for std::bad_alloc, ERR_NATIVE for other std::exceptions). To be
// called in a catch block.
Napi::Error to_js(Napi::Env env);

// Runs `body` and rethrows its C++ exceptions as JavaScript errors. Every exported function that
// can fail is wrapped in it.
template <typename Body>
auto guarded(Napi::Env env, const Body& body) -> decltype(body()) {
  try {
    return body();
  } catch (...) {
    throw to_js(env);
  }
}

// Throws ERR_USAGE unless `holds`. TypeScript has validated the arguments with better messages;
// this protects memory.
void require(bool holds, const char* what);

// The elements of a typed array argument. JavaScript owns the memory, which is valid while `value`
// is referenced. The functions throw ERR_USAGE for any other element type.
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

// Item ids in a Float64Array. Throws ERR_USAGE unless they are safe integers >= 0.
std::vector<uint64_t> item_ids(const Napi::Value& value, const char* name);

// Row numbers in a Float64Array. Throws ERR_USAGE unless each is in [0, rows).
View<double> row_ids(const Napi::Value& value, uint64_t rows);

// rows x dims numbers in a Float32Array, Uint16Array (float16) or Int8Array. Memory as for View.
RawVectors raw_vectors(const Napi::Value& value, size_t dims, const char* name);

// A string. Throws ERR_USAGE for any other value.
std::string text(const Napi::Value& value, const char* name);

// The optional UUID argument of openCodec and openSegment.
std::optional<Uuid> known_uuid(const Napi::Value& value);

// A safe integer >= 0. Throws ERR_USAGE for any other value.
uint64_t natural(const Napi::Value& value, const char* name);
// The same, back to JavaScript.
Napi::Number number(Napi::Env env, uint64_t value);

// A reference to a class that lives as long as the environment, for use as the data of a function
// that creates objects of the class; and the class again, in a call of that function.
Napi::FunctionReference* kept_class(Napi::Env env, Napi::Function constructor);
const Napi::FunctionReference& constructor_in(const Napi::CallbackInfo& info);

// A typed array that owns its memory, copied from `data`.
template <typename Array, typename Element>
Array copied(Napi::Env env, const Element* data, size_t count) {
  Array array = Array::New(env, count);
  if (count > 0) std::copy(data, data + count, array.Data());
  return array;
}

// Runs `work` on libuv's thread pool. Then runs `finish` on the JavaScript thread, and resolves the
// promise with its result. An exception of either rejects the promise. `keep`: arguments whose
// memory `work` uses; they stay alive until then.
Napi::Promise run_async(Napi::Env env, std::vector<Napi::Value> keep, std::function<void()> work,
                        std::function<Napi::Value(Napi::Env)> finish);

}  // namespace corvid

#endif  // CORVID_NAPI_BRIDGE_H_
