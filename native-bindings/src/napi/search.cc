// JavaScript class NativeSearcher (its type: src/native/search.ts): complete queries, many in one
// call, and the parts of one large query that several threads share.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "napi/bridge.h"
#include "napi/classes.h"
#include "napi/codec.h"
#include "napi/search_plan.h"
#include "napi/segment.h"
#include "search/finish.h"
#include "search/route.h"
#include "search/scan.h"
#include "search/searchable.h"
#include "search/sweep.h"
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

// Whether JavaScript has set the flag in shared memory. `value` is an Int32Array, or null for none.
bool is_cancelled(const Napi::Value& value) {
  if (value.IsNull()) return false;
  const View<int32_t> flag = int32s(value, "cancel");
  require(flag.size > 0, "cancel is empty");
  return reinterpret_cast<const std::atomic<int32_t>*>(flag.data)->load() != 0;
}

// Builds SearchAnswers of src/native/search.ts, query after query. Items are written directly to
// JavaScript's typed arrays.
class Answers {
 public:
  Answers(Napi::Env env, size_t queries, size_t max_items_per_query)
      : ids_(Napi::Float64Array::New(env, queries * max_items_per_query)),
        scores_(Napi::Float32Array::New(env, queries * max_items_per_query)) {}

  void add(const Scanned& scanned, size_t shortlist, const std::vector<FoundItem>& items) {
    scanned_rows_.push_back(static_cast<double>(scanned.rows));
    probed_lists_.push_back(scanned.lists);
    shortlists_.push_back(static_cast<double>(shortlist));
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
               copied<Napi::Float64Array>(env, shortlists_.data(), shortlists_.size()));
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
  std::vector<uint32_t> counts_, probed_lists_;
  std::vector<double> scanned_rows_, shortlists_;
};

class JsSearcher : public Napi::ObjectWrap<JsSearcher> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Searcher",
                       {
                           InstanceMethod<&JsSearcher::Answer>("answer"),
                           InstanceMethod<&JsSearcher::ScanPart>("scanPart"),
                           InstanceMethod<&JsSearcher::SweepPart>("sweepPart"),
                           InstanceMethod<&JsSearcher::Finish>("finish"),
                           InstanceMethod<&JsSearcher::FindRows>("findRows"),
                           InstanceMethod<&JsSearcher::Reconstruct>("reconstruct"),
                           InstanceMethod<&JsSearcher::MayBeOnDisk>("mayBeOnDisk"),
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

  std::vector<RoutedList> route(const Napi::Value& given, const View<float>& queries, size_t count,
                                const SearchPlan& plan) const;

  // The context of one query, and its numbers.
  QueryContext& query_of(const Napi::Value& value, View<float>* numbers) const {
    *numbers = floats(value, "query");
    require(numbers->size == index().codec->dims(), "query has the wrong length");
    return query_context(index().codec, numbers->data);
  }
  std::pair<uint64_t, uint64_t> range_of(const Napi::Value& first, const Napi::Value& last) const {
    const std::pair<uint64_t, uint64_t> range{natural(first, "firstRow"), natural(last, "lastRow")};
    require(range.first <= range.second && range.second <= index().rows(),
            "the range of rows is not within the index");
    return range;
  }

  Napi::Value Answer(const Napi::CallbackInfo& info);
  Napi::Value ScanPart(const Napi::CallbackInfo& info);
  Napi::Value SweepPart(const Napi::CallbackInfo& info);
  Napi::Value Finish(const Napi::CallbackInfo& info);
  Napi::Value FindRows(const Napi::CallbackInfo& info);
  Napi::Value Reconstruct(const Napi::CallbackInfo& info);
  Napi::Value MayBeOnDisk(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo&) { index_.reset(); }

  std::unique_ptr<const Searchable> index_;
};

// The lists of all queries, plan.routed_lists() each: as given, or by brute force.
std::vector<RoutedList> JsSearcher::route(const Napi::Value& given, const View<float>& queries,
                                          size_t count, const SearchPlan& plan) const {
  const Codec& codec = *index().codec;
  const size_t lists = plan.routed_lists();
  std::vector<RoutedList> routed(count * lists);
  if (given.IsNull()) {
    if (lists > 0) route_queries(codec, queries.data, count, lists, routed.data());
    return routed;
  }
  require(given.IsObject(), "routed is not an object");
  const View<uint32_t> numbers = uint32s(given.As<Napi::Object>().Get("lists"), "lists");
  const View<float> similarities =
      floats(given.As<Napi::Object>().Get("similarities"), "similarities");
  require(numbers.size == routed.size() && similarities.size == routed.size(),
          "routed does not hold the plan's number of lists per query");
  for (size_t i = 0; i < routed.size(); ++i) {
    require(numbers.data[i] < codec.lists(), "a list does not exist");
    routed[i] = {similarities.data[i], numbers.data[i]};
  }
  return routed;
}

// (queries, plan, filters, routed, cancel)
Napi::Value JsSearcher::Answer(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const View<float> queries = floats(info[0], "queries");
    const size_t dims = index().codec->dims(), count = queries.size / dims;
    require(queries.size == count * dims, "queries is not count x dims");
    const SearchPlan plan = search_plan(index(), info[1]);
    const IndexFilter filter = index_filter(index(), info[2]);

    const uint64_t max_items =
        std::min<uint64_t>(std::min(plan.wanted, plan.shortlist), index().rows());
    Answers answers(info.Env(), count, max_items);
    Clock::time_point start = Clock::now();
    const std::vector<RoutedList> routed = route(info[3], queries, count, plan);
    answers.route_ms = milliseconds_since(start);
    SearchMemory& memory = search_memory();
    for (size_t i = 0; i < count; ++i) {
      if (is_cancelled(info[4])) return info.Env().Null();
      start = Clock::now();
      QueryContext& query = query_context(index().codec, queries.data + i * dims);
      const size_t lists = plan.routed_lists();
      const RoutedSpan span{routed.data() + i * lists, lists};
      const Scanned scanned = scan_index(index(), query, span, plan, filter, memory.shortlist);
      memory.shortlist.best(&memory.candidates);
      const size_t shortlist = memory.candidates.size();
      answers.scan_ms += milliseconds_since(start);
      finish_items(index(), query, plan, false, memory, answers.finish);
      answers.add(scanned, shortlist, memory.items);
    }
    return answers.to_js(info.Env());
  });
}

// ScoredRows of src/native/search.ts.
Napi::Object scored_rows(Napi::Env env, const std::vector<Candidate>& candidates,
                         uint64_t scanned_rows, bool final) {
  Napi::Object result = scan_result(env, candidates, scanned_rows);
  result.Set("final", final);
  return result;
}

// (query, plan, filters, firstRow, lastRow)
Napi::Value JsSearcher::ScanPart(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    View<float> numbers;
    QueryContext& query = query_of(info[0], &numbers);
    const SearchPlan plan = search_plan(index(), info[1]);
    const IndexFilter filter = index_filter(index(), info[2]);
    const auto [first, last] = range_of(info[3], info[4]);
    const std::vector<RoutedList> routed = route(info.Env().Null(), numbers, 1, plan);
    SearchMemory& memory = search_memory();
    const Scanned scanned = scan_range(index(), query, {routed.data(), routed.size()}, plan, filter,
                                       first, last, memory.shortlist);
    memory.shortlist.best(&memory.candidates);
    return scored_rows(info.Env(), memory.candidates, scanned.rows, false);
  });
}

// (query, plan, filters, firstRow, lastRow, cancel)
Napi::Value JsSearcher::SweepPart(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    View<float> numbers;
    QueryContext& query = query_of(info[0], &numbers);
    const SearchPlan plan = search_plan(index(), info[1]);
    require(plan.scores_anew(), "the plan neither refines nor rescores");
    const IndexFilter filter = index_filter(index(), info[2]);
    const auto [first, last] = range_of(info[3], info[4]);
    SearchMemory& memory = search_memory();
    const std::optional<uint64_t> scored = sweep_range(
        index(), query, plan, filter, first, last, [&] { return is_cancelled(info[5]); }, memory);
    if (!scored.has_value()) return info.Env().Null();
    return scored_rows(info.Env(), memory.candidates, *scored, true);
  });
}

// (query, plan, parts)
Napi::Value JsSearcher::Finish(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    View<float> numbers;
    QueryContext& query = query_of(info[0], &numbers);
    const SearchPlan plan = search_plan(index(), info[1]);
    require(info[2].IsArray(), "parts is not an array");
    const auto parts = info[2].As<Napi::Array>();
    SearchMemory& memory = search_memory();
    memory.candidates.clear();
    Scanned scanned;
    bool final = false;
    for (uint32_t i = 0; i < parts.Length(); ++i) {
      const auto part = parts.Get(i).As<Napi::Object>();
      const View<double> rows = row_ids(part.Get("rows"), index().rows());
      const View<float> scores = floats(part.Get("scores"), "scores");
      require(rows.size == scores.size, "scores is not one score per row");
      for (size_t r = 0; r < rows.size; ++r) {
        memory.candidates.push_back(
            {scores.data[r], kUnknownList, static_cast<uint64_t>(rows.data[r])});
      }
      scanned.rows += natural(part.Get("scannedRows"), "scannedRows");
      final = part.Get("final").ToBoolean();
    }
    if (scanned.rows > 0) scanned.lists = static_cast<uint32_t>(index().codec->lists());
    const size_t limit = final ? plan.wanted : plan.shortlist;
    merge_candidates(memory.candidates, limit);
    const size_t shortlist = final ? scanned.rows : memory.candidates.size();
    Answers answers(info.Env(), 1, std::min(plan.wanted, memory.candidates.size()));
    finish_items(index(), query, plan, final, memory, answers.finish);
    answers.add(scanned, shortlist, memory.items);
    return answers.to_js(info.Env());
  });
}

Napi::Value JsSearcher::FindRows(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const std::vector<double> rows = index().find_rows(item_ids(info[0], "ids"));
    return copied<Napi::Float64Array>(info.Env(), rows.data(), rows.size());
  });
}

Napi::Value JsSearcher::Reconstruct(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const View<double> rows = row_ids(info[0], index().rows());
    const size_t dims = index().codec->dims();
    Napi::Float32Array out = Napi::Float32Array::New(info.Env(), rows.size * dims);
    for (size_t i = 0; i < rows.size; ++i) {
      index().reconstruct(static_cast<uint64_t>(rows.data[i]), out.Data() + i * dims);
    }
    return out;
  });
}

Napi::Value JsSearcher::MayBeOnDisk(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto& segments = index().segments;
    return Napi::Boolean::New(info.Env(),
                              std::any_of(segments.begin(), segments.end(),
                                          [](const auto& one) { return one->may_be_on_disk(); }));
  });
}

Napi::Value OpenSearcher(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    require(info[1].IsArray(), "segments is not an array");
    const auto array = info[1].As<Napi::Array>();
    std::vector<std::shared_ptr<const Segment>> segments;
    for (uint32_t i = 0; i < array.Length(); ++i) segments.push_back(segment_of(array.Get(i)));
    const Napi::Object object = constructor_in(info).New({});
    JsSearcher::Unwrap(object)->hold(
        std::make_unique<const Searchable>(codec_of(info[0]), std::move(segments)));
    return object;
  });
}

}  // namespace

void init_search(Napi::Env env, Napi::Object exports) {
  Napi::FunctionReference* searcher_class = kept_class(env, JsSearcher::define(env));
  exports.Set("openSearcher",
              Napi::Function::New(env, OpenSearcher, "openSearcher", searcher_class));
}

}  // namespace corvid
