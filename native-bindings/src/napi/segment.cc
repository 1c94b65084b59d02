// JavaScript class NativeSegment (its type: src/native/segment.ts). Writing is in
// segment_writer.cc.
#include "napi/segment.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "napi/bridge.h"
#include "napi/classes.h"
#include "napi/codec.h"
#include "napi/row_filter.h"
#include "segment/read/query_cache.h"
#include "segment/read/rows.h"
#include "segment/read/scan.h"
#include "segment/read/segment.h"
#include "segment/read/verify.h"

namespace corvid {
namespace {

constexpr napi_type_tag kSegmentTag = {0x5c1f2c6d0b8f4a37, 0x9d3e61a47720c5f2};

Napi::Float32Array scores_of(Napi::Env env, const std::vector<Candidate>& candidates) {
  Napi::Float32Array scores = Napi::Float32Array::New(env, candidates.size());
  float* const score = scores.Data();
  for (size_t i = 0; i < candidates.size(); ++i) score[i] = candidates[i].score;
  return scores;
}

class JsSegment : public Napi::ObjectWrap<JsSegment> {
 public:
  static Napi::Function define(Napi::Env env, Napi::FunctionReference* row_filter_class) {
    return DefineClass(env, "Segment",
                       {
                           InstanceMethod<&JsSegment::Info>("info"),
                           InstanceMethod<&JsSegment::Close>("close"),
                           InstanceMethod<&JsSegment::EstimateNormWeight>("estimateNormWeight"),
                           InstanceMethod<&JsSegment::Scan>("scan"),
                           InstanceMethod<&JsSegment::CountRows>("countRows"),
                           InstanceMethod<&JsSegment::Refine>("refine"),
                           InstanceMethod<&JsSegment::Rescore>("rescore"),
                           InstanceMethod<&JsSegment::Reconstruct>("reconstruct"),
                           InstanceMethod<&JsSegment::CopyRows>("copyRows"),
                           InstanceMethod<&JsSegment::ItemIds>("itemIds"),
                           InstanceMethod<&JsSegment::FindRows>("findRows"),
                           InstanceMethod<&JsSegment::CreateFilter>("createFilter", napi_default,
                                                                    row_filter_class),
                           InstanceMethod<&JsSegment::Verify>("verify"),
                       });
  }
  explicit JsSegment(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsSegment>(info) {}
  void hold(std::shared_ptr<const Segment> segment) { segment_ = std::move(segment); }
  const std::shared_ptr<const Segment>& held() const { return segment_; }

 private:
  const Segment& segment() const {
    if (segment_ == nullptr) throw Error("ERR_CLOSED", "the segment was closed");
    return *segment_;
  }

  QueryContext& context(const Napi::Value& query) const {
    const View<float> numbers = floats(query, "query");
    require(numbers.size == segment().codec().dims(), "query has the wrong length");
    return query_context(segment().shared_codec(), numbers.data);
  }

  std::vector<uint32_t> lists_of(const Napi::Value& value) const {
    const View<uint32_t> numbers = uint32s(value, "lists");
    for (size_t i = 0; i < numbers.size; ++i) {
      require(numbers.data[i] < segment().lists(), "a list does not exist");
    }
    return {numbers.data, numbers.data + numbers.size};
  }

  View<double> rows_of(const Napi::Value& value) const { return row_ids(value, segment().rows()); }

  void require_vectors() const {
    if (segment().has_vectors()) return;
    throw Error("ERR_NOT_FOUND", "the segment has no vectors to rescore with")
        .path(segment().folder() + "/" + kVectorsName)
        .hint("search without rescoring, or build the index again with vectors");
  }

  Napi::Value Info(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo&) { segment_.reset(); }
  Napi::Value EstimateNormWeight(const Napi::CallbackInfo& info);
  Napi::Value Scan(const Napi::CallbackInfo& info);
  Napi::Value CountRows(const Napi::CallbackInfo& info);
  Napi::Value Refine(const Napi::CallbackInfo& info);
  Napi::Value Rescore(const Napi::CallbackInfo& info);
  Napi::Value Reconstruct(const Napi::CallbackInfo& info);
  Napi::Value CopyRows(const Napi::CallbackInfo& info);
  Napi::Value ItemIds(const Napi::CallbackInfo& info);
  Napi::Value FindRows(const Napi::CallbackInfo& info);
  Napi::Value CreateFilter(const Napi::CallbackInfo& info);
  Napi::Value Verify(const Napi::CallbackInfo& info);

  std::shared_ptr<const Segment> segment_;
};

Napi::Value JsSegment::Info(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return segment_info(info.Env(), segment()); });
}

Napi::Value JsSegment::EstimateNormWeight(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    QueryContext& query = context(info[0]);
    const uint64_t limit = std::min(natural(info[2], "limit"), segment().rows());
    return Napi::Number::New(info.Env(),
                             estimate_norm_weight(segment(), query, lists_of(info[1]), limit));
  });
}

Napi::Value JsSegment::Scan(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    require(info[0].IsObject(), "the request is not an object");
    const auto request = info[0].As<Napi::Object>();
    QueryContext& query = context(request.Get("query"));
    ScanSettings settings;
    const std::string scoring = request.Get("scoring").ToString();
    require(scoring == "asymmetric" || scoring == "hamming",
            "scoring is neither asymmetric nor hamming");
    settings.scoring = scoring == "hamming" ? Scoring::kHamming : Scoring::kAsymmetric;
    require(request.Get("normWeight").IsNumber(), "normWeight is not a number");
    settings.norm_weight = request.Get("normWeight").As<Napi::Number>().FloatValue();
    require(std::isfinite(settings.norm_weight), "normWeight is not finite");
    const uint64_t limit = std::min(natural(request.Get("limit"), "limit"), segment().rows());
    std::shared_ptr<const RowFilter> filter;
    if (const uint64_t handle = natural(request.Get("filter"), "filter"); handle != 0) {
      filter = RowFilter::find(handle);
      require(filter->segment() == segment().uuid(), "the filter belongs to another segment");
      settings.filter = filter.get();
    }

    static thread_local Shortlist shortlist(0);
    shortlist.reset(limit);
    Scanner scanner(segment(), query, settings, shortlist);
    if (request.Get("lists").IsNull()) {
      const Napi::Value first = request.Get("firstRow"), last = request.Get("lastRow");
      const uint64_t first_row = first.IsUndefined() ? 0 : natural(first, "firstRow");
      const uint64_t last_row = last.IsUndefined() ? segment().rows() : natural(last, "lastRow");
      require(last_row <= segment().rows(), "lastRow is past the end");
      scanner.scan_rows(first_row, last_row);
    } else {
      scanner.scan_lists(lists_of(request.Get("lists")));
    }

    return scan_result(info.Env(), shortlist.sorted(), scanner.scanned_rows());
  });
}

Napi::Value JsSegment::CountRows(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    uint64_t rows = 0;
    for (const uint32_t list : lists_of(info[0])) {
      rows += segment().list_first(list + 1) - segment().list_first(list);
    }
    return number(info.Env(), rows);
  });
}

Napi::Value JsSegment::Refine(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    QueryContext& query = context(info[0]);
    const View<double> rows = rows_of(info[1]);
    const size_t levels = levels_up_to(segment().codec(), natural(info[2], "bits"));
    require(levels <= segment().usable_levels(), "the segment has no plane of this level");
    std::vector<Candidate> candidates = candidates_of(rows.data, rows.size);
    refine_rows(segment(), query, 0, levels, candidates.data(), candidates.size());
    return scores_of(info.Env(), candidates);
  });
}

Napi::Value JsSegment::Rescore(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    require_vectors();
    QueryContext& query = context(info[0]);
    const View<double> rows = rows_of(info[1]);
    std::vector<Candidate> candidates = candidates_of(rows.data, rows.size);
    rescore_rows(segment(), query, 0, candidates.data(), candidates.size());
    return scores_of(info.Env(), candidates);
  });
}

Napi::Value JsSegment::Reconstruct(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const View<double> rows = rows_of(info[0]);
    const size_t dims = segment().codec().dims();
    Napi::Float32Array out = Napi::Float32Array::New(info.Env(), rows.size * dims);
    for (size_t i = 0; i < rows.size; ++i) {
      reconstruct_row(segment(), static_cast<uint64_t>(rows.data[i]), out.Data() + i * dims);
    }
    return out;
  });
}

Napi::Value JsSegment::CopyRows(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const View<double> rows = rows_of(info[0]);
    const bool with_vectors = info[1].ToBoolean();
    const size_t dims = segment().codec().dims();
    Napi::Uint32Array lists = Napi::Uint32Array::New(info.Env(), rows.size);
    Napi::Uint8Array codes = Napi::Uint8Array::New(info.Env(), rows.size * code_bytes(segment()));
    Napi::Int8Array vectors = Napi::Int8Array::New(info.Env(), with_vectors ? rows.size * dims : 0);
    copy_rows(segment(), rows.data, rows.size, lists.Data(), codes.Data(),
              with_vectors ? vectors.Data() : nullptr);
    Napi::Object batch = Napi::Object::New(info.Env());
    batch.Set("rows", number(info.Env(), rows.size));
    batch.Set("lists", lists);
    batch.Set("codes", codes);
    if (with_vectors) batch.Set("vectors", vectors);
    return batch;
  });
}

Napi::Value JsSegment::ItemIds(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const View<double> rows = rows_of(info[0]);
    Napi::Float64Array ids = Napi::Float64Array::New(info.Env(), rows.size);
    double* const id = ids.Data();
    for (size_t i = 0; i < rows.size; ++i) {
      id[i] = static_cast<double>(segment().id_of(static_cast<uint64_t>(rows.data[i])));
    }
    return ids;
  });
}

Napi::Value JsSegment::FindRows(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const std::vector<double> rows = find_rows(segment(), item_ids(info[0], "ids"));
    return copied<Napi::Float64Array>(info.Env(), rows.data(), rows.size());
  });
}

Napi::Value JsSegment::CreateFilter(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    std::optional<std::vector<uint64_t>> include;
    if (!info[0].IsNull()) include = item_ids(info[0], "include");
    std::vector<uint64_t> exclude;
    if (!info[1].IsNull()) exclude = item_ids(info[1], "exclude");
    auto filter = make_filter(segment(), std::move(include), std::move(exclude));
    return new_row_filter(constructor_in(info), std::move(filter));
  });
}

Napi::Value JsSegment::Verify(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    auto verified = std::make_shared<VerifiedSegment>();
    const std::string folder = segment().folder();
    const std::shared_ptr<const Codec> codec = segment().shared_codec();
    return run_async(
        info.Env(), {}, [=] { *verified = verify_segment(folder, codec); },
        [verified](Napi::Env env) {
          Napi::Object result = Napi::Object::New(env);
          result.Set("files", number(env, verified->files));
          result.Set("bytes", number(env, verified->bytes));
          return result;
        });
  });
}

Napi::Value VerifyFile(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const std::string path = text(info[0], "path");
    auto bytes = std::make_shared<uint64_t>(0);
    return run_async(
        info.Env(), {},
        [path, bytes] {
          const FramedFile file(path);
          file.verify();
          *bytes = file.file_bytes();
        },
        [bytes](Napi::Env env) { return number(env, *bytes); });
  });
}

Napi::Value OpenSegment(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const std::optional<Uuid> known = known_uuid(info[2]);
    auto segment =
        Segment::open(text(info[0], "dir"), codec_of(info[1]), known ? &*known : nullptr);
    const Napi::Object object = constructor_in(info).New({});
    object.TypeTag(&kSegmentTag);
    JsSegment::Unwrap(object)->hold(std::move(segment));
    return object;
  });
}

}  // namespace

std::shared_ptr<const Segment> segment_of(const Napi::Value& value) {
  require(value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&kSegmentTag),
          "not a segment: use openSegment");
  const auto& segment = JsSegment::Unwrap(value.As<Napi::Object>())->held();
  if (segment == nullptr) throw Error("ERR_CLOSED", "the segment was closed");
  return segment;
}

Napi::Object segment_info(Napi::Env env, const Segment& segment) {
  Napi::Object info = Napi::Object::New(env);
  Napi::Array levels = Napi::Array::New(env);
  Napi::Array missing_levels = Napi::Array::New(env);
  for (size_t i = 0; i < segment.codec().level_count(); ++i) {
    const Napi::Number bits = Napi::Number::New(env, segment.codec().level_bits(i));
    if (i < segment.usable_levels()) levels.Set(levels.Length(), bits);
    if (!segment.has_plane(i)) missing_levels.Set(missing_levels.Length(), bits);
  }
  Napi::Array files = Napi::Array::New(env);
  for (const SegmentFileSize& size : segment.files()) {
    Napi::Object file = Napi::Object::New(env);
    file.Set("name", size.name);
    file.Set("bytes", number(env, size.bytes));
    file.Set("residentBytes", number(env, size.resident_bytes));
    files.Set(files.Length(), file);
  }
  info.Set("uuid", format_uuid(segment.uuid()));
  info.Set("rows", number(env, segment.rows()));
  info.Set("lists", segment.lists());
  info.Set("levels", levels);
  info.Set("missingLevels", missing_levels);
  info.Set("missingVectors", segment.lost_vectors());
  info.Set("vectors", segment.has_vectors());
  info.Set("files", files);
  return info;
}

Napi::Object scan_result(Napi::Env env, const std::vector<Candidate>& candidates,
                         uint64_t scanned_rows) {
  Napi::Float64Array rows = Napi::Float64Array::New(env, candidates.size());
  double* const row = rows.Data();
  for (size_t i = 0; i < candidates.size(); ++i) row[i] = static_cast<double>(candidates[i].row);
  Napi::Object result = Napi::Object::New(env);
  result.Set("rows", rows);
  result.Set("scores", scores_of(env, candidates));
  result.Set("scannedRows", number(env, scanned_rows));
  return result;
}

void init_segment(Napi::Env env, Napi::Object exports) {
  Napi::FunctionReference* filter_class = kept_class(env, define_row_filter(env));
  Napi::FunctionReference* segment_class = kept_class(env, JsSegment::define(env, filter_class));
  exports.Set("openSegment", Napi::Function::New(env, OpenSegment, "openSegment", segment_class));
  exports.Set("verifyFile", Napi::Function::New(env, VerifyFile, "verifyFile"));
}

}  // namespace corvid
