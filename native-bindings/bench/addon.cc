// The addon of the benches: synthetic rows, ground truth, page-cache tools. Its type is in
// bench/synthetic/native.ts. It is built beside the addon that ships, and is not part of the
// package.
#include <napi.h>

#include <cmath>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/threads.h"
#include "bench/synthetic/generator.h"
#include "bench/synthetic/page_cache.h"
#include "bench/synthetic/statistics.h"
#include "bench/synthetic/truth.h"
#include "napi/bridge.h"

namespace corvid {
namespace {

constexpr size_t kShareRows = 512;  // rows of one unit of work

class JsSynthetic : public Napi::ObjectWrap<JsSynthetic> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "SyntheticCollection",
                       {InstanceMethod<&JsSynthetic::Halves>("halves"),
                        InstanceMethod<&JsSynthetic::Floats>("floats")});
  }
  explicit JsSynthetic(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsSynthetic>(info) {
    guarded(info.Env(), [&] {
      generator_ = std::make_shared<SyntheticGenerator>(kClipShape, natural(info[0], "seed"));
    });
  }

 private:
  // (first, rows, threads): generates these rows into a typed array of `Element`.
  template <typename Array, typename Element, typename Make>
  Napi::Value Rows(const Napi::CallbackInfo& info, Make make) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const uint64_t first = natural(info[0], "first");
      const size_t rows = natural(info[1], "rows"), threads = natural(info[2], "threads");
      require(threads > 0, "threads is 0");
      Array out = Array::New(info.Env(), rows * kSyntheticDims);
      const auto kept = std::make_shared<Napi::Reference<Array>>(Napi::Persistent(out));
      return run_async(
          info.Env(), {out},
          [=, data = out.Data(), generator = generator_] {
            parallel_for((rows + kShareRows - 1) / kShareRows, threads, [&](size_t share, size_t) {
              const size_t from = share * kShareRows, here = std::min(kShareRows, rows - from);
              make(*generator, first + from, here, data + from * kSyntheticDims);
            });
          },
          [kept](Napi::Env) -> Napi::Value { return kept->Value(); });
    });
  }

  Napi::Value Halves(const Napi::CallbackInfo& info) {
    return Rows<Napi::Uint16Array, uint16_t>(
        info, [](const SyntheticGenerator& generator, uint64_t first, size_t rows, uint16_t* out) {
          generator.halves(first, rows, out);
        });
  }

  Napi::Value Floats(const Napi::CallbackInfo& info) {
    return Rows<Napi::Float32Array, float>(
        info, [](const SyntheticGenerator& generator, uint64_t first, size_t rows, float* out) {
          generator.floats(first, rows, out);
        });
  }

  std::shared_ptr<const SyntheticGenerator> generator_;
};

class JsSyntheticGroundTruth : public Napi::ObjectWrap<JsSyntheticGroundTruth> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "SyntheticGroundTruth",
                       {InstanceMethod<&JsSyntheticGroundTruth::Compare>("compare"),
                        InstanceMethod<&JsSyntheticGroundTruth::Found>("found")});
  }
  explicit JsSyntheticGroundTruth(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<JsSyntheticGroundTruth>(info) {
    guarded(info.Env(), [&] {
      const auto queries = floats(info[0], "queries");
      const size_t count = queries.size / kSyntheticDims;
      require(count > 0 && queries.size % kSyntheticDims == 0, "queries is not count x dims");
      require(info[1].IsObject(), "soFar is not an object");
      const auto so_far = info[1].As<Napi::Object>();
      const auto rows = doubles(so_far.Get("rows"), "rows");
      const auto cosines = floats(so_far.Get("cosines"), "cosines");
      require(rows.size > 0 && rows.size % count == 0, "rows is not queries x neighbours");
      require(rows.size == cosines.size, "rows and cosines differ in length");
      const size_t neighbours = rows.size / count;
      truth_ = std::make_shared<SyntheticGroundTruth>(queries.data, count, neighbours);
      for (size_t i = 0; i < rows.size; ++i) {
        if (rows.data[i] < 0) continue;
        truth_->nearest().offer(i / neighbours,
                                {cosines.data[i], static_cast<uint64_t>(rows.data[i])});
      }
    });
  }

 private:
  Napi::Value Compare(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const auto halves = uint16s(info[0], "halves");
      const uint64_t first = natural(info[1], "first");
      const size_t threads = natural(info[2], "threads");
      require(threads > 0, "threads is 0");
      require(halves.size % kSyntheticDims == 0, "halves is not rows x dims");
      return run_async(
          info.Env(), {info[0]},
          [=, truth = truth_, busy = busy_] {
            const std::lock_guard<std::mutex> hold(*busy);
            truth->compare(halves.data, first, halves.size / kSyntheticDims, threads);
          },
          [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
    });
  }

  Napi::Value Found(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const std::lock_guard<std::mutex> hold(*busy_);
      const Napi::Env env = info.Env();
      const NeighbourHeaps& nearest = truth_->nearest();
      Napi::Float64Array rows = Napi::Float64Array::New(env, nearest.queries() * nearest.kept());
      Napi::Float32Array cosines = Napi::Float32Array::New(env, rows.ElementLength());
      std::fill(rows.Data(), rows.Data() + rows.ElementLength(), -1.0);
      for (size_t query = 0; query < nearest.queries(); ++query) {
        size_t next = query * nearest.kept();
        for (const Neighbour& neighbour : nearest.sorted(query)) {
          rows[next] = static_cast<double>(neighbour.id);
          cosines[next++] = neighbour.cosine;
        }
      }
      Napi::Object result = Napi::Object::New(env);
      result.Set("rows", rows);
      result.Set("cosines", cosines);
      return result;
    });
  }

  std::shared_ptr<SyntheticGroundTruth> truth_;
  std::shared_ptr<std::mutex> busy_ = std::make_shared<std::mutex>();
};

Napi::Value DropCached(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    drop_cached(text(info[0], "path"));
    return info.Env().Undefined();
  });
}

Napi::Value CachedBytes(const Napi::CallbackInfo& info) {
  return guarded(info.Env(),
                 [&] { return number(info.Env(), cached_bytes(text(info[0], "path"))); });
}

Napi::Value ReadMapped(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const std::string path = text(info[0], "path");
    const size_t threads = natural(info[1], "threads");
    require(threads > 0, "threads is 0");
    const auto sum = std::make_shared<uint64_t>(0);
    return run_async(
        info.Env(), {}, [=] { *sum = read_mapped(path, threads); },
        [sum](Napi::Env env) { return Napi::BigInt::New(env, *sum); });
  });
}

Napi::Value PrincipalVariances(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const auto values = floats(info[0], "values");
    const size_t dims = natural(info[1], "dims");
    require(dims > 0 && values.size % dims == 0, "values is not rows x dims");
    const std::vector<double> variances =
        principal_variances(values.data, values.size / dims, dims);
    return copied<Napi::Float64Array>(info.Env(), variances.data(), variances.size());
  });
}

Napi::Value InnerProducts(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const auto a = floats(info[0], "a"), b = floats(info[1], "b");
    const size_t dims = natural(info[2], "dims"), threads = natural(info[3], "threads");
    require(dims > 0 && a.size % dims == 0 && b.size % dims == 0, "a or b is not rows x dims");
    require(threads > 0, "threads is 0");
    const std::vector<float> products =
        inner_products(a.data, a.size / dims, b.data, b.size / dims, dims, threads);
    return copied<Napi::Float32Array>(info.Env(), products.data(), products.size());
  });
}

}  // namespace

Napi::Object init_bench(Napi::Env env, Napi::Object exports) {
  exports.Set("SyntheticCollection", JsSynthetic::define(env));
  exports.Set("SyntheticGroundTruth", JsSyntheticGroundTruth::define(env));
  exports.Set("syntheticFirstHeldOut", number(env, kFirstHeldOut));
  exports.Set("principalVariances",
              Napi::Function::New(env, PrincipalVariances, "principalVariances"));
  exports.Set("innerProducts", Napi::Function::New(env, InnerProducts, "innerProducts"));
  exports.Set("dropCached", Napi::Function::New(env, DropCached, "dropCached"));
  exports.Set("cachedBytes", Napi::Function::New(env, CachedBytes, "cachedBytes"));
  exports.Set("readMapped", Napi::Function::New(env, ReadMapped, "readMapped"));
  return exports;
}

}  // namespace corvid

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  return corvid::init_bench(env, exports);
}

NODE_API_MODULE(corvid_bench, Init)
