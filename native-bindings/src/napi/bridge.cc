// Conversions between JavaScript and C++ values, and promises settled by libuv's thread pool.
#include "napi/bridge.h"

#include <new>

namespace corvid {
namespace {

class AsyncTask : public Napi::AsyncWorker {
 public:
  AsyncTask(Napi::Env env, std::vector<Napi::Value> keep, std::function<void()> work,
            std::function<Napi::Value(Napi::Env)> finish)
      : Napi::AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        work_(std::move(work)),
        finish_(std::move(finish)) {
    const Napi::Array kept = Napi::Array::New(env, keep.size());
    for (size_t i = 0; i < keep.size(); ++i) kept.Set(static_cast<uint32_t>(i), keep[i]);
    kept_ = Napi::Persistent(kept.As<Napi::Object>());
  }

  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override {
    try {
      work_();
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  void OnOK() override {
    const Napi::HandleScope scope(Env());
    try {
      if (failure_) std::rethrow_exception(failure_);
      deferred_.Resolve(finish_(Env()));
    } catch (...) {
      deferred_.Reject(to_js(Env()).Value());
    }
  }

 private:
  Napi::Promise::Deferred deferred_;
  std::function<void()> work_;
  std::function<Napi::Value(Napi::Env)> finish_;
  std::exception_ptr failure_;
  Napi::ObjectReference kept_;
};

template <typename Array, typename Element>
View<Element> view(const Napi::Value& value, const char* name, napi_typedarray_type type) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) {
    throw Error("ERR_USAGE", std::string(name) + " is a typed array of the wrong element type");
  }
  Array array = value.As<Array>();
  return {array.Data(), array.ElementLength()};
}

}  // namespace

Napi::Error to_js(Napi::Env env) {
  // Rethrown and caught by type, because Node's build flags disable RTTI and so dynamic_cast.
  try {
    throw;
  } catch (const Napi::Error& error) {
    return error;
  } catch (const Error& error) {
    Napi::Error thrown = Napi::Error::New(env, error.what());
    const auto set = [&](const char* name, const std::string& text) {
      if (!text.empty()) thrown.Value().Set(name, Napi::String::New(env, text));
    };
    set("code", error.code());
    set("path", error.path());
    set("expected", error.expected());
    set("actual", error.actual());
    set("hint", error.hint());
    return thrown;
  } catch (const std::bad_alloc&) {
    Napi::Error thrown = Napi::Error::New(env, "not enough memory for native work");
    thrown.Value().Set("code", "ERR_MEMORY");
    return thrown;
  } catch (const std::exception& error) {
    Napi::Error thrown = Napi::Error::New(env, error.what());
    thrown.Value().Set("code", "ERR_NATIVE");
    return thrown;
  }
}

void require(bool holds, const char* what) {
  if (!holds) throw Error("ERR_USAGE", what);
}

View<float> floats(const Napi::Value& value, const char* name) {
  return view<Napi::Float32Array, float>(value, name, napi_float32_array);
}
View<double> doubles(const Napi::Value& value, const char* name) {
  return view<Napi::Float64Array, double>(value, name, napi_float64_array);
}
View<uint32_t> uint32s(const Napi::Value& value, const char* name) {
  return view<Napi::Uint32Array, uint32_t>(value, name, napi_uint32_array);
}
View<uint16_t> uint16s(const Napi::Value& value, const char* name) {
  return view<Napi::Uint16Array, uint16_t>(value, name, napi_uint16_array);
}
View<uint8_t> bytes(const Napi::Value& value, const char* name) {
  return view<Napi::Uint8Array, uint8_t>(value, name, napi_uint8_array);
}
View<int32_t> int32s(const Napi::Value& value, const char* name) {
  return view<Napi::Int32Array, int32_t>(value, name, napi_int32_array);
}
View<int8_t> int8s(const Napi::Value& value, const char* name) {
  return view<Napi::Int8Array, int8_t>(value, name, napi_int8_array);
}

std::vector<uint64_t> item_ids(const Napi::Value& value, const char* name) {
  const View<double> numbers = doubles(value, name);
  std::vector<uint64_t> ids(numbers.size);
  for (size_t i = 0; i < numbers.size; ++i) {
    require(numbers.data[i] >= 0 && numbers.data[i] <= static_cast<double>(kMaxItemId),
            "an item id is not a safe integer >= 0");
    ids[i] = static_cast<uint64_t>(numbers.data[i]);
  }
  return ids;
}

View<double> row_ids(const Napi::Value& value, uint64_t rows) {
  const View<double> ids = doubles(value, "rows");
  for (size_t i = 0; i < ids.size; ++i) {
    require(ids.data[i] >= 0 && ids.data[i] < static_cast<double>(rows), "a row does not exist");
  }
  return ids;
}

RawVectors raw_vectors(const Napi::Value& value, size_t dims, const char* name) {
  const std::string what(name);
  require(value.IsTypedArray(), (what + " is not a typed array").c_str());
  const auto array = value.As<Napi::TypedArray>();
  require(dims > 0 && array.ElementLength() % dims == 0, (what + " is not rows x dims").c_str());
  const size_t rows = array.ElementLength() / dims;
  switch (array.TypedArrayType()) {
    case napi_float32_array:
      return {RawVectors::kFloat, floats(value, name).data, rows, dims};
    case napi_uint16_array:
      return {RawVectors::kHalf, uint16s(value, name).data, rows, dims};
    case napi_int8_array:
      return {RawVectors::kByte, int8s(value, name).data, rows, dims};
    default:
      throw Error("ERR_USAGE", what + " is neither Float32Array, Uint16Array (f16) nor Int8Array");
  }
}

std::string text(const Napi::Value& value, const char* name) {
  if (!value.IsString()) throw Error("ERR_USAGE", std::string(name) + " is not a string");
  return value.As<Napi::String>().Utf8Value();
}

std::optional<Uuid> known_uuid(const Napi::Value& value) {
  if (value.IsUndefined()) return std::nullopt;
  return parse_uuid(text(value, "uuid"));
}

uint64_t natural(const Napi::Value& value, const char* name) {
  constexpr double kMaxSafe = 9007199254740991.0;
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= kMaxSafe) ||
      number != static_cast<double>(static_cast<uint64_t>(number))) {
    throw Error("ERR_USAGE", std::string(name) + " is not an integer from 0 to 2^53 - 1");
  }
  return static_cast<uint64_t>(number);
}

Napi::Number number(Napi::Env env, uint64_t value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

Napi::FunctionReference* kept_class(Napi::Env env, Napi::Function constructor) {
  auto* kept = new Napi::FunctionReference(Napi::Persistent(constructor));
  env.AddCleanupHook([kept] { delete kept; });
  return kept;
}

const Napi::FunctionReference& constructor_in(const Napi::CallbackInfo& info) {
  return *static_cast<const Napi::FunctionReference*>(info.Data());
}

Napi::Promise run_async(Napi::Env env, std::vector<Napi::Value> keep, std::function<void()> work,
                        std::function<Napi::Value(Napi::Env)> finish) {
  // AsyncWorker deletes itself after OnOK.
  auto* task = new AsyncTask(env, std::move(keep), std::move(work), std::move(finish));
  const Napi::Promise promise = task->promise();
  task->Queue();
  return promise;
}

}  // namespace corvid
