// NativeSearcher of src/native/addon.ts: whole queries, many in one call.
#include "napi/search.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "napi/bridge.h"
#include "napi/codec.h"
#include "napi/segment.h"
#include "search/route.h"
#include "search/searcher.h"
#include "segment/read/query_cache.h"

namespace corvid {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

SearchMemory& search_memory() {
  static thread_local SearchMemory memory;
  return memory;
}

// What several queries were answered with, one after another, as NativeAnswers holds it. Items are
// written where JavaScript will read them.
class Answers {
 public:
  // Of so many queries, each of at most `most` items.
  Answers(Napi::Env env, size_t queries, size_t most)
      : ids_(Napi::Float64Array::New(env, queries * most)),
        scores_(Napi::Float32Array::New(env, queries * most)) {}

  void add(const Scanned& scanned, size_t shortlist) {
    scanned_rows_.push_back(static_cast<double>(scanned.rows));
    probed_lists_.push_back(scanned.lists);
    shortlists_.push_back(static_cast<uint32_t>(shortlist));
  }

  void add_items(const std::vector<FoundItem>& items) {
    double* const ids = ids_.Data() + used_;
    float* const scores = scores_.Data() + used_;
    for (size_t i = 0; i < items.size(); ++i) {
      ids[i] = static_cast<double>(items[i].id);
      scores[i] = items[i].score;
    }
    counts_.push_back(static_cast<uint32_t>(items.size()));
    used_ += items.size();
  }

  Napi::Object to_js(Napi::Env env) const {
    Napi::Object result = Napi::Object::New(env);
    const bool full = used_ == ids_.ElementLength();
    result.Set("counts", copied<Napi::Uint32Array>(env, counts_.data(), counts_.size()));
    result.Set("ids", full ? ids_ : copied<Napi::Float64Array>(env, ids_.Data(), used_));
    result.Set("scores", full ? scores_ : copied<Napi::Float32Array>(env, scores_.Data(), used_));
    result.Set("scannedRows",
               copied<Napi::Float64Array>(env, scanned_rows_.data(), scanned_rows_.size()));
    result.Set("probedLists",
               copied<Napi::Uint32Array>(env, probed_lists_.data(), probed_lists_.size()));
    result.Set("shortlists",
               copied<Napi::Uint32Array>(env, shortlists_.data(), shortlists_.size()));
    result.Set("routeMs", route_ms);
    result.Set("scanMs", scan_ms);
    result.Set("refineMs", finish.refine_ms);
    result.Set("rescoreMs", finish.rescore_ms);
    return result;
  }

  double route_ms = 0, scan_ms = 0;
  FinishTimes finish;

 private:
  Napi::Float64Array ids_;
  Napi::Float32Array scores_;
  size_t used_ = 0;
  std::vector<uint32_t> counts_, probed_lists_, shortlists_;
  std::vector<double> scanned_rows_;
};

class JsSearcher : public Napi::ObjectWrap<JsSearcher> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Searcher",
                       {
                           InstanceMethod<&JsSearcher::Answer>("answer"),
                           InstanceMethod<&JsSearcher::Finish>("finish"),
                           InstanceMethod<&JsSearcher::Close>("close"),
                       });
  }
  explicit JsSearcher(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsSearcher>(info) {}
  void hold(std::unique_ptr<const Searchable> index) { index_ = std::move(index); }

 private:
  const Searchable& index() const {
    if (index_ == nullptr) throw Error("ERR_CLOSED", "the searcher was closed");
    return *index_;
  }

  FinishPlan finish_plan(const Napi::Object& request) const {
    FinishPlan plan;
    const View<uint32_t> steps = uint32s(request.Get("refine"), "refine");
    require(steps.size % 2 == 0, "refine is not pairs of bits and rows");
    for (size_t i = 0; i < steps.size; i += 2) {
      plan.refine.push_back({levels_of(steps.data[i]), steps.data[i + 1]});
    }
    plan.rescore = request.Get("rescore").ToBoolean();
    for (const auto& segment : index().segments) {
      if (!plan.rescore || segment->has_vectors()) continue;
      throw Error("ERR_NOT_FOUND", "the segment has no vectors to rescore with")
          .path(segment->folder())
          .hint("search without rescoring, or build the index again with vectors");
    }
    plan.hamming = scoring_of(request) == Scoring::kHamming;
    plan.wanted = natural(request.Get("wanted"), "wanted");
    return plan;
  }

  // Levels of a code of so many bits, usable in all segments.
  size_t levels_of(uint32_t bits) const {
    const Codec& codec = *index().codec;
    size_t levels = 0;
    while (levels < codec.level_count() && codec.level_bits(levels) <= bits) ++levels;
    require(levels > 0 && codec.level_bits(levels - 1) == bits, "the codec has no such level");
    for (const auto& segment : index().segments) {
      require(levels <= segment->usable_levels(), "a segment has no plane of this level");
    }
    return levels;
  }

  static Scoring scoring_of(const Napi::Object& request) {
    const std::string name = request.Get("scoring").ToString().Utf8Value();
    require(name == "asymmetric" || name == "hamming", "scoring is neither known one");
    return name == "hamming" ? Scoring::kHamming : Scoring::kAsymmetric;
  }

  ScanPlan scan_plan(const Napi::Object& request) const {
    ScanPlan plan;
    plan.scoring = scoring_of(request);
    plan.limit = natural(request.Get("shortlist"), "shortlist");
    plan.enough = natural(request.Get("enough"), "enough");
    plan.everywhere = request.Get("everywhere").ToBoolean();
    plan.norm_rank = natural(request.Get("normRank"), "normRank");
    plan.nearest = natural(request.Get("nearest"), "nearest");
    plan.stop = request.Get("stop").ToNumber().FloatValue();
    require(!std::isnan(plan.stop), "stop is no number");
    if (!request.Get("filters").IsNull()) {
      const View<double> handles = doubles(request.Get("filters"), "filters");
      require(handles.size == index().segments.size(), "not one filter for each segment");
      for (size_t i = 0; i < handles.size; ++i) {
        plan.filters.push_back(filter_of(handles.data[i], *index().segments[i]));
      }
    }
    return plan;
  }

  static SegmentFilter filter_of(double handle, const Segment& segment) {
    if (handle < 0) return {nullptr, true};
    if (handle == 0) return {};
    SegmentFilter filter{RowFilter::find(static_cast<uint64_t>(handle)), false};
    require(filter.rows->segment() == segment.uuid(), "the filter belongs to another segment");
    return filter;
  }

  // Lists of all queries, `probes` each: as given, or by brute force.
  std::vector<RoutedList> route(const Napi::Object& request, const View<float>& queries,
                                size_t count, size_t probes) const {
    const Codec& codec = *index().codec;
    std::vector<RoutedList> routed(count * probes);
    if (request.Get("lists").IsNull()) {
      if (probes > 0) route_queries(codec, queries.data, count, probes, routed.data());
      return routed;
    }
    const View<uint32_t> lists = uint32s(request.Get("lists"), "lists");
    const View<float> similarities = floats(request.Get("similarities"), "similarities");
    require(lists.size == routed.size() && similarities.size == routed.size(),
            "lists is not queries x probes");
    for (size_t i = 0; i < routed.size(); ++i) {
      require(lists.data[i] < codec.lists(), "a list does not exist");
      routed[i] = {similarities.data[i], lists.data[i]};
    }
    return routed;
  }

  Napi::Value Answer(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const Napi::Object request = info[0].As<Napi::Object>();
      const View<float> queries = floats(request.Get("queries"), "queries");
      const size_t dims = index().codec->dims(), count = queries.size / dims;
      require(queries.size == count * dims, "queries is not count x dims");
      const size_t probes = natural(request.Get("probes"), "probes");
      require(probes <= index().codec->lists(), "probes is more than there are lists");
      const ScanPlan plan = scan_plan(request);
      const FinishPlan finish = finish_plan(request);

      const uint64_t most = std::min<uint64_t>(std::min(finish.wanted, plan.limit), index().rows());
      Answers answers(info.Env(), count, most);
      Clock::time_point start = Clock::now();
      const std::vector<RoutedList> routed = route(request, queries, count, probes);
      answers.route_ms = milliseconds_since(start);
      SearchMemory& memory = search_memory();
      for (size_t i = 0; i < count; ++i) {
        start = Clock::now();
        QueryContext& query = query_context(index().codec, queries.data + i * dims);
        const RoutedSpan own{routed.data() + i * probes, probes};
        const Scanned scanned =
            scan_index(index(), query, own, plan, finish.wanted, memory.shortlist);
        memory.shortlist.best(&memory.candidates);
        answers.scan_ms += milliseconds_since(start);
        answers.add(scanned, memory.candidates.size());
        finish_items(index(), query, finish, memory, answers.finish);
        answers.add_items(memory.items);
      }
      return answers.to_js(info.Env());
    });
  }

  Napi::Value Finish(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const Napi::Object request = info[0].As<Napi::Object>();
      const View<float> numbers = floats(request.Get("query"), "query");
      require(numbers.size == index().codec->dims(), "query has the wrong length");
      const View<double> rows = doubles(request.Get("rows"), "rows");
      const View<float> scores = floats(request.Get("scores"), "scores");
      require(rows.size == scores.size, "not one score for each row");
      const FinishPlan plan = finish_plan(request);
      SearchMemory& memory = search_memory();
      std::vector<Candidate>& candidates = memory.candidates;
      candidates.resize(rows.size);
      for (size_t i = 0; i < rows.size; ++i) {
        require(rows.data[i] >= 0 && rows.data[i] < static_cast<double>(index().rows()),
                "a row does not exist");
        candidates[i] = {scores.data[i], kUnknownList, static_cast<uint64_t>(rows.data[i])};
      }
      sort_by_row(candidates);
      Answers answers(info.Env(), 1, std::min<uint64_t>(plan.wanted, rows.size));
      finish_items(index(), query_context(index().codec, numbers.data), plan, memory,
                   answers.finish);
      answers.add_items(memory.items);
      return answers.to_js(info.Env());
    });
  }

  void Close(const Napi::CallbackInfo&) { index_.reset(); }

  std::unique_ptr<const Searchable> index_;
};

Napi::Value OpenSearcher(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    require(info[1].IsArray(), "segments is no array");
    const auto array = info[1].As<Napi::Array>();
    std::vector<std::shared_ptr<const Segment>> segments;
    for (uint32_t i = 0; i < array.Length(); ++i) segments.push_back(segment_of(array.Get(i)));
    auto* constructor = static_cast<Napi::FunctionReference*>(info.Data());
    const Napi::Object object = constructor->New({});
    JsSearcher::Unwrap(object)->hold(
        std::make_unique<const Searchable>(codec_of(info[0]), std::move(segments)));
    return object;
  });
}

}  // namespace

void init_search(Napi::Env env, Napi::Object exports) {
  auto* searcher_class = new Napi::FunctionReference(Napi::Persistent(JsSearcher::define(env)));
  env.AddCleanupHook([searcher_class] { delete searcher_class; });
  exports.Set("openSearcher",
              Napi::Function::New(env, OpenSearcher, "openSearcher", searcher_class));
}

}  // namespace corvid
