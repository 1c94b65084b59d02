// JavaScript class NativeByteSample, and the functions that train codecs. Their types:
// src/native/codec.ts.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "codec/format/layout.h"
#include "codec/lists/byte_sample.h"
#include "codec/lists/hierarchy.h"
#include "codec/train/train.h"
#include "napi/bridge.h"
#include "napi/classes.h"
#include "napi/codec.h"

namespace corvid {
namespace {

constexpr napi_type_tag kSampleTag = {0x636f727669640002, 0x73616d706c650b17};
constexpr napi_type_tag kListsTag = {0x636f727669640003, 0x6c69737473007e21};

// The sample for finding lists, filled batch by batch.
class JsByteSample : public Napi::ObjectWrap<JsByteSample> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "ByteSample",
        {InstanceMethod<&JsByteSample::Add>("add"), InstanceMethod<&JsByteSample::Free>("free")});
  }
  explicit JsByteSample(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsByteSample>(info) {
    guarded(info.Env(), [&] {
      capacity_ = natural(info[0], "capacity");
      dims_ = natural(info[1], "dims");
      require(dims_ > 0 && dims_ <= kMaxDims, "dims is out of range");
      const size_t padded_dims = std::max(dims_, kLevel64Directions);
      sample_ = std::make_shared<ByteSample>(capacity_, dims_, padded_dims);
      info.This().As<Napi::Object>().TypeTag(&kSampleTag);
    });
  }
  // Null after free().
  const std::shared_ptr<ByteSample>& sample() const { return sample_; }

 private:
  Napi::Value Add(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const auto embeddings = floats(info[0], "embeddings");
      require(sample_ != nullptr, "the sample was freed");
      require(embeddings.size % dims_ == 0, "embeddings is not rows x dims");
      require(embeddings.size / dims_ <= capacity_ - sample_->rows(), "the sample is full");
      sample_->add(embeddings.data, embeddings.size / dims_);
      return info.Env().Undefined();
    });
  }

  void Free(const Napi::CallbackInfo&) { sample_.reset(); }

  size_t capacity_ = 0, dims_ = 0;
  std::shared_ptr<ByteSample> sample_;
};

// A new NativeTraining: `work` runs on another thread, and `finish` then makes the result.
Napi::Object start(Napi::Env env, std::vector<Napi::Value> keep,
                   const std::shared_ptr<Progress>& progress, std::function<void()> work,
                   std::function<Napi::Value(Napi::Env)> finish) {
  Napi::Object training = Napi::Object::New(env);
  training.Set("progress", Napi::Function::New(env, [progress](const Napi::CallbackInfo& call) {
                 Napi::Object state = Napi::Object::New(call.Env());
                 state.Set("phase", progress->phase());
                 state.Set("done", number(call.Env(), progress->done()));
                 state.Set("total", number(call.Env(), progress->total()));
                 return state;
               }));
  training.Set("cancel", Napi::Function::New(
                             env, [progress](const Napi::CallbackInfo&) { progress->cancel(); }));
  training.Set("result", run_async(env, std::move(keep), std::move(work), std::move(finish)));
  return training;
}

Napi::Value StartLists(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    const bool tagged = info[0].IsObject() && info[0].As<Napi::Object>().CheckTypeTag(&kSampleTag);
    require(tagged, "sample is not a ByteSample");
    const auto sample = JsByteSample::Unwrap(info[0].As<Napi::Object>())->sample();
    require(sample != nullptr, "the sample was freed");
    require(info[1].IsObject(), "options is not an object");
    const auto options = info[1].As<Napi::Object>();
    const auto count = [&](const char* name) { return natural(options.Get(name), name); };
    const HierarchyOptions hierarchy{count("lists"), count("seed"), count("threads")};
    require(hierarchy.lists > 0 && hierarchy.lists <= std::min<size_t>(sample->rows(), kMaxLists),
            "the number of lists is out of range");
    require(hierarchy.threads > 0, "threads is 0");
    const auto progress = std::make_shared<Progress>();
    const auto lists = std::make_shared<ListCenters>();
    return start(
        env, {info[0]}, progress,
        [=] { *lists = hierarchical_kmeans(*sample, hierarchy, *progress); },
        [=](Napi::Env env) -> Napi::Value {
          auto* kept = new std::shared_ptr<ListCenters>(lists);
          Napi::Object result = Napi::Object::New(env);
          napi_status status = napi_wrap(
              env, result, kept,
              [](napi_env, void* data, void*) {
                delete static_cast<std::shared_ptr<ListCenters>*>(data);
              },
              nullptr, nullptr);
          require(status == napi_ok, "the lists could not be returned");
          result.TypeTag(&kListsTag);
          return result;
        });
  });
}

// The lists in a result of startLists, or null for null and undefined.
std::shared_ptr<ListCenters> lists_of(const Napi::Value& value) {
  if (value.IsNull() || value.IsUndefined()) return nullptr;
  const bool tagged = value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&kListsTag);
  require(tagged, "lists is not a result of startLists");
  void* data = nullptr;
  require(napi_unwrap(value.Env(), value, &data) == napi_ok, "lists is empty");
  return *static_cast<std::shared_ptr<ListCenters>*>(data);
}

size_t level_count_of(const Napi::Value& levels) {
  require(levels.IsArray(), "levels is not an array");
  const Napi::Array array = levels.As<Napi::Array>();
  require(array.Length() > 0 && array.Length() <= kLevelCount,
          "levels does not have 1 to 4 entries");
  for (uint32_t i = 0; i < array.Length(); ++i) {
    require(natural(array.Get(i), "levels") == kLevels[i],
            "levels are not the first of 64, 128, 256, 512");
  }
  return array.Length();
}

TrainingOptions options_of(const Napi::Value& value) {
  require(value.IsObject(), "options is not an object");
  const Napi::Object object = value.As<Napi::Object>();
  const auto count = [&](const char* name) { return natural(object.Get(name), name); };
  const std::string method = object.Get("method").ToString();
  require(method == "trained" || method == "rotation", "method is neither trained nor rotation");
  return {method == "trained" ? CodecMethod::kTrained : CodecMethod::kRotation,
          count("dims"),
          level_count_of(object.Get("levels")),
          count("lists"),
          count("groups"),
          count("outerGroups"),
          count("seed"),
          count("threads")};
}

Napi::Value StartTraining(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    const auto sample = floats(info[0], "sample");
    const TrainingOptions options = options_of(info[1]);
    require(options.dims > 0 && sample.size % options.dims == 0, "sample is not rows x dims");
    const auto lists = lists_of(info[2]);
    const auto progress = std::make_shared<Progress>();
    const auto trained = std::make_shared<std::shared_ptr<const Codec>>();
    const auto* codec = static_cast<const Napi::FunctionReference*>(info.Data());
    return start(
        env, {info[0]}, progress,
        [=, data = sample.data, rows = sample.size / options.dims] {
          *trained = train(data, rows, options, lists.get(), *progress);
        },
        [=](Napi::Env) -> Napi::Value { return new_codec(*codec, *trained); });
  });
}

}  // namespace

void init_training(Napi::Env env, Napi::Object exports, Napi::FunctionReference* codec) {
  exports.Set("ByteSample", JsByteSample::define(env));
  exports.Set("startLists", Napi::Function::New(env, StartLists, "startLists"));
  exports.Set("startTraining", Napi::Function::New(env, StartTraining, "startTraining", codec));
}

}  // namespace corvid
