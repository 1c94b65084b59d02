// JavaScript functions for instruction sets, checksums, file locks and unit vectors. Their types:
// src/native/addon.ts.
#include <cmath>

#include "codec/format/normalize.h"
#include "io/crc32c.h"
#include "io/file_lock.h"
#include "napi/bridge.h"
#include "napi/classes.h"
#include "simd/contract.h"

namespace corvid {
namespace {

Napi::Value SimdLevel(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::String::New(info.Env(), kernels().name); });
}

Napi::Value SimdLevels(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  for (const char* name : {"scalar", "avx2", "avx512", "amx", "neon"}) {
    if (kernels_named(name) != nullptr) names.Set(names.Length(), name);
  }
  return names;
}

Napi::Value Crc32c(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto data = bytes(info[0], "data");
    const uint64_t initial = info[1].IsUndefined() ? 0 : natural(info[1], "initial");
    return Napi::Number::New(info.Env(),
                             crc32c(data.data, data.size, static_cast<uint32_t>(initial)));
  });
}

// Holds a lock until release() is called or the object is garbage-collected.
class JsFileLock : public Napi::ObjectWrap<JsFileLock> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "FileLock", {InstanceMethod<&JsFileLock::Release>("release")});
  }
  explicit JsFileLock(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsFileLock>(info) {}
  void hold(std::unique_ptr<FileLock> lock) { lock_ = std::move(lock); }

 private:
  void Release(const Napi::CallbackInfo&) { lock_.reset(); }
  std::unique_ptr<FileLock> lock_;
};

Napi::Value LockFile(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    std::unique_ptr<FileLock> lock = FileLock::try_lock(text(info[0], "path"));
    if (lock == nullptr) return info.Env().Null();
    const Napi::Object object = constructor_in(info).New({});
    JsFileLock::Unwrap(object)->hold(std::move(lock));
    return object;
  });
}

Napi::Value ToUnit(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const RawVectors vectors = raw_vectors(info[0], natural(info[1], "dims"), "vectors");
    const size_t numbers = vectors.rows * vectors.dims;
    const Napi::Value into =
        info[2].IsUndefined() ? Napi::Float32Array::New(info.Env(), numbers) : info[2];
    const View<float> out = floats(into, "into");
    require(out.size == numbers, "into and vectors differ in length");
    vectors.unit(0, vectors.rows, out.data);
    return into;
  });
}

}  // namespace

void init_base(Napi::Env env, Napi::Object exports) {
  exports.Set("simdLevel", Napi::Function::New(env, SimdLevel, "simdLevel"));
  exports.Set("simdLevels", Napi::Function::New(env, SimdLevels, "simdLevels"));
  exports.Set("crc32c", Napi::Function::New(env, Crc32c, "crc32c"));
  exports.Set("toUnit", Napi::Function::New(env, ToUnit, "toUnit"));
  Napi::FunctionReference* lock_class = kept_class(env, JsFileLock::define(env));
  exports.Set("lockFile", Napi::Function::New(env, LockFile, "lockFile", lock_class));
}

}  // namespace corvid
