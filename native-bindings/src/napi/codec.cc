// JavaScript class NativeCodec (its type: src/native/codec.ts): encoding and routing. Training is
// in training.cc.
#include "napi/codec.h"

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "codec/encode/encode.h"
#include "codec/query/routing.h"
#include "napi/bridge.h"
#include "napi/classes.h"
#include "search/route.h"
#include "simd/contract.h"

namespace corvid {
namespace {

constexpr napi_type_tag kCodecTag = {0x636f727669640001, 0x636f64656300a51e};

// A codec and its encoder, which is made by the first call of encode().
class CodecHandle {
 public:
  explicit CodecHandle(std::shared_ptr<const Codec> codec) : codec_(std::move(codec)) {}
  const std::shared_ptr<const Codec>& codec() const { return codec_; }
  const Encoder& encoder(size_t threads) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (encoder_ == nullptr) encoder_ = std::make_unique<Encoder>(codec_, threads);
    return *encoder_;
  }

 private:
  std::shared_ptr<const Codec> codec_;
  std::mutex mutex_;
  std::unique_ptr<Encoder> encoder_;
};

class JsCodec : public Napi::ObjectWrap<JsCodec> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "Codec",
        {InstanceMethod<&JsCodec::Info>("info"), InstanceMethod<&JsCodec::Save>("save"),
         InstanceMethod<&JsCodec::Encode>("encode"),
         InstanceMethod<&JsCodec::RoutingCentroids>("routingCentroids"),
         InstanceMethod<&JsCodec::RoutingQuery>("routingQuery"),
         InstanceMethod<&JsCodec::NearestLists>("nearestLists")});
  }
  static Napi::Object create(const Napi::FunctionReference& constructor,
                             std::shared_ptr<const Codec> codec) {
    const Napi::Object object = constructor.New({});
    object.TypeTag(&kCodecTag);
    Unwrap(object)->handle_ = std::make_shared<CodecHandle>(std::move(codec));
    return object;
  }

  explicit JsCodec(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsCodec>(info) {}
  // Null only in an object that JavaScript code made by calling the constructor directly.
  const std::shared_ptr<CodecHandle>& handle() const { return handle_; }

 private:
  const Codec& codec() const {
    require(handle_ != nullptr, "not a codec: use openCodec or startTraining");
    return *handle_->codec();
  }

  Napi::Value Info(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
      const CodecHead& head = codec().head();
      const bool trained = head.method == static_cast<uint32_t>(CodecMethod::kTrained);
      Napi::Array levels = Napi::Array::New(env, head.level_count);
      for (uint32_t i = 0; i < head.level_count; ++i) levels.Set(i, head.levels[i].bits);
      Napi::Object result = Napi::Object::New(env);
      result.Set("method", trained ? "trained" : "rotation");
      result.Set("uuid", format_uuid(codec().uuid()));
      result.Set("dims", head.dims);
      result.Set("levels", levels);
      result.Set("lists", head.lists);
      result.Set("groups", head.groups);
      result.Set("outerGroups", head.outer_groups);
      result.Set("seed", number(env, head.seed));
      result.Set("trainingRows", number(env, head.training_rows));
      result.Set("routingDims", head.routing_dims);
      result.Set("residentBytes", number(env, codec().resident_bytes()));
      result.Set("fileBytes", number(env, file_bytes(codec().data_bytes())));
      return result;
    });
  }

  Napi::Value Save(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      codec();  // throws if there is none
      return run_async(
          info.Env(), {info.This()},
          [handle = handle_, path = text(info[0], "path")] { handle->codec()->save(path); },
          [](Napi::Env env) { return env.Undefined(); });
    });
  }

  struct Batch {
    std::vector<uint32_t> lists;
    std::vector<uint8_t> codes;
    std::vector<int8_t> vectors;
  };

  Napi::Value Encode(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const RawVectors vectors = raw_vectors(info[0], codec().dims(), "vectors");
      require(info[1].IsObject(), "options is not an object");
      const Napi::Object options = info[1].As<Napi::Object>();
      const bool keep_vectors = options.Get("vectors").ToBoolean();
      const size_t threads = natural(options.Get("threads"), "threads");
      require(threads > 0, "threads is 0");
      const size_t rows = vectors.rows;
      auto batch = std::make_shared<Batch>();
      return run_async(
          info.Env(), {info.This(), info[0]},
          [=, handle = handle_] {
            const Codec& codec = *handle->codec();
            batch->lists.resize(rows);
            batch->codes.resize(rows * codec.row_bytes());
            if (keep_vectors) batch->vectors.resize(rows * codec.dims());
            handle->encoder(threads).encode(vectors, threads,
                                            {batch->lists.data(), batch->codes.data(),
                                             keep_vectors ? batch->vectors.data() : nullptr});
          },
          [=](Napi::Env env) {
            Napi::Object result = Napi::Object::New(env);
            result.Set("rows", number(env, rows));
            result.Set("lists", copied<Napi::Uint32Array>(env, batch->lists.data(), rows));
            result.Set("codes",
                       copied<Napi::Uint8Array>(env, batch->codes.data(), batch->codes.size()));
            if (keep_vectors) {
              result.Set("vectors", copied<Napi::Int8Array>(env, batch->vectors.data(),
                                                            batch->vectors.size()));
            }
            return result;
          });
    });
  }

  Napi::Value RoutingCentroids(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const size_t dims = codec().head().routing_dims;
      auto result = Napi::Float32Array::New(info.Env(), codec().lists() * dims);
      for (size_t list = 0; list < codec().lists(); ++list) {
        routing_vector(codec(), static_cast<uint32_t>(list), result.Data() + list * dims);
      }
      return result;
    });
  }

  Napi::Value RoutingQuery(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const auto query = floats(info[0], "query");
      require(query.size == codec().dims(), "query is not of length dims");
      auto result = Napi::Float32Array::New(info.Env(), codec().head().routing_dims);
      routing_queries(codec(), query.data, 1, result.Data());
      return result;
    });
  }

  Napi::Value NearestLists(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const auto queries = floats(info[0], "queries");
      const size_t dims = codec().dims(), probes = natural(info[1], "probes");
      require(queries.size % dims == 0, "queries is not count x dims");
      require(probes > 0 && probes <= codec().lists(),
              "probes is not from 1 to the number of lists");
      const size_t count = queries.size / dims;
      std::vector<RoutedList> routed(count * probes);
      route_queries(codec(), queries.data, count, probes, routed.data());
      auto result = Napi::Uint32Array::New(info.Env(), routed.size());
      for (size_t i = 0; i < routed.size(); ++i) result[i] = routed[i].list;
      return result;
    });
  }

  std::shared_ptr<CodecHandle> handle_;
};

Napi::Value OpenCodec(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const std::optional<Uuid> known = known_uuid(info[1]);
    return JsCodec::create(constructor_in(info),
                           Codec::open(text(info[0], "path"), known ? &*known : nullptr));
  });
}

}  // namespace

std::shared_ptr<const Codec> codec_of(const Napi::Value& value) {
  const bool tagged = value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&kCodecTag);
  require(tagged, "codec is not a codec of this addon");
  return JsCodec::Unwrap(value.As<Napi::Object>())->handle()->codec();
}

size_t levels_up_to(const Codec& codec, uint64_t bits) {
  size_t levels = 0;
  while (levels < codec.level_count() && codec.level_bits(levels) <= bits) ++levels;
  require(levels > 0 && codec.level_bits(levels - 1) == bits, "the codec has no such level");
  return levels;
}

Napi::Object new_codec(const Napi::FunctionReference& constructor,
                       std::shared_ptr<const Codec> codec) {
  return JsCodec::create(constructor, std::move(codec));
}

void init_codec(Napi::Env env, Napi::Object exports) {
  Napi::FunctionReference* constructor = kept_class(env, JsCodec::define(env));
  exports.Set("openCodec", Napi::Function::New(env, OpenCodec, "openCodec", constructor));
  init_training(env, exports, constructor);
}

}  // namespace corvid
