// JavaScript class NativeGroundTruth (its type: src/native/search.ts). Rows are added on libuv's
// thread pool. The caller must not call add or result while an add is running.

#include <memory>
#include <utility>
#include <vector>

#include "napi/bridge.h"
#include "napi/classes.h"
#include "search/ground_truth.h"

namespace corvid {
namespace {

class JsGroundTruth : public Napi::ObjectWrap<JsGroundTruth> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "GroundTruth",
                       {
                           InstanceMethod<&JsGroundTruth::Add>("add"),
                           InstanceMethod<&JsGroundTruth::Result>("result"),
                       });
  }
  explicit JsGroundTruth(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsGroundTruth>(info) {
    guarded(info.Env(), [&] {
      const View<float> queries = floats(info[0], "queries");
      dims_ = natural(info[1], "dims");
      require(dims_ > 0 && queries.size % dims_ == 0, "queries is not count x dims");
      const size_t count = queries.size / dims_, kept = natural(info[2], "kept");
      require(kept > 0, "kept is 0");
      std::vector<int64_t> selves;
      const bool given = !info[3].IsUndefined();
      if (given) {
        const View<double> ids = doubles(info[3], "selves");
        require(ids.size == count, "selves is not one id per query");
        for (size_t q = 0; q < count; ++q) selves.push_back(static_cast<int64_t>(ids.data[q]));
      }
      truth_ = std::make_shared<GroundTruth>(queries.data, count, dims_, kept,
                                             given ? selves.data() : nullptr);
    });
  }

 private:
  Napi::Value Add(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const View<float> rows = floats(info[0], "rows");
      const View<double> numbers = doubles(info[1], "ids");
      const size_t threads = natural(info[2], "threads");
      require(threads > 0, "threads is 0");
      require(rows.size == numbers.size * dims_, "ids is not one id per row");
      std::vector<uint64_t> ids(numbers.size);
      for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<uint64_t>(numbers.data[i]);
      return run_async(
          info.Env(), {info.This(), info[0]},
          [truth = truth_, data = rows.data, ids = std::move(ids), threads] {
            truth->add(data, ids.data(), ids.size(), threads);
          },
          [](Napi::Env env) { return env.Undefined(); });
    });
  }

  Napi::Value Result(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      std::vector<uint32_t> counts;
      std::vector<double> ids, selves;
      for (size_t q = 0; q < truth_->nearest().queries(); ++q) {
        const std::vector<Neighbour> neighbours = truth_->nearest().sorted(q);
        counts.push_back(static_cast<uint32_t>(neighbours.size()));
        for (const Neighbour& neighbour : neighbours) {
          ids.push_back(static_cast<double>(neighbour.id));
        }
        selves.push_back(static_cast<double>(truth_->self(q)));
      }
      Napi::Object result = Napi::Object::New(info.Env());
      result.Set("counts", copied<Napi::Uint32Array>(info.Env(), counts.data(), counts.size()));
      result.Set("ids", copied<Napi::Float64Array>(info.Env(), ids.data(), ids.size()));
      result.Set("selves", copied<Napi::Float64Array>(info.Env(), selves.data(), selves.size()));
      return result;
    });
  }

  size_t dims_ = 0;
  std::shared_ptr<GroundTruth> truth_;
};

}  // namespace

void init_ground_truth(Napi::Env env, Napi::Object exports) {
  exports.Set("GroundTruth", JsGroundTruth::define(env));
}

}  // namespace corvid
