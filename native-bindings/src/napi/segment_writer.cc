// NativeSegmentWriter of src/native/addon.ts.
#include "napi/segment_writer.h"

#include <memory>
#include <string>
#include <utility>

#include "napi/bridge.h"
#include "napi/codec.h"
#include "segment/write/segment_writer.h"

namespace corvid {
namespace {

class JsSegmentWriter : public Napi::ObjectWrap<JsSegmentWriter> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "SegmentWriter",
                       {
                           InstanceMethod<&JsSegmentWriter::Append>("append"),
                           InstanceMethod<&JsSegmentWriter::Finish>("finish"),
                           InstanceMethod<&JsSegmentWriter::Progress>("progress"),
                           InstanceMethod<&JsSegmentWriter::ResumedRows>("resumedRows"),
                           InstanceMethod<&JsSegmentWriter::Abort>("abort"),
                       });
  }
  explicit JsSegmentWriter(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<JsSegmentWriter>(info) {}
  void hold(std::shared_ptr<SegmentWriter> writer, std::shared_ptr<const Codec> codec,
            std::string folder) {
    writer_ = std::move(writer);
    codec_ = std::move(codec);
    folder_ = std::move(folder);
  }

 private:
  Napi::Value Append(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      require(info[0].IsObject(), "the batch is no object");
      const auto batch = info[0].As<Napi::Object>();
      const SegmentShape& shape = writer_->shape();
      RowBatch rows{};
      rows.rows = natural(batch.Get("rows"), "rows");
      const View<uint32_t> lists = uint32s(batch.Get("lists"), "lists");
      const View<uint8_t> codes = bytes(batch.Get("codes"), "codes");
      const View<double> ids = doubles(info[1], "ids");
      require(lists.size == rows.rows, "lists is not one number per row");
      require(ids.size == rows.rows, "ids is not one number per row");
      require(codes.size == rows.rows * shape.code_bytes(), "codes is not rows x codeBytes");
      rows.lists = lists.data;
      rows.codes = codes.data;
      rows.ids = ids.data;
      if (shape.vector_bytes > 0) {
        const View<int8_t> vectors = int8s(batch.Get("vectors"), "vectors");
        require(vectors.size == rows.rows * shape.vector_bytes, "vectors is not rows x dims");
        rows.vectors = vectors.data;
      }
      return run_async(
          info.Env(), {info[0], info[1]}, [writer = writer_, rows] { writer->append(rows); },
          [](Napi::Env env) { return env.Undefined(); });
    });
  }

  Napi::Value Finish(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      auto segment = std::make_shared<std::shared_ptr<const Segment>>();
      return run_async(
          info.Env(), {},
          [writer = writer_, codec = codec_, folder = folder_, segment] {
            writer->finish();
            // Opened as any reader will, so that a segment which cannot be read is never published.
            *segment = Segment::open(folder, codec);
          },
          [segment](Napi::Env env) { return segment_info(env, **segment); });
    });
  }

  Napi::Value Progress(const Napi::CallbackInfo& info) {
    const WriterProgress progress = writer_->progress();
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("phase", progress.phase);
    result.Set("done", static_cast<double>(progress.done));
    result.Set("total", static_cast<double>(progress.total));
    return result;
  }

  Napi::Value ResumedRows(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(writer_->resumed_rows()));
  }

  void Abort(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] { writer_->abort(); });
  }

  std::shared_ptr<SegmentWriter> writer_;
  std::shared_ptr<const Codec> codec_;
  std::string folder_;
};

Napi::Value CreateSegmentWriter(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    require(info[0].IsObject(), "the options are no object");
    const auto options = info[0].As<Napi::Object>();
    require(options.Get("dir").IsString() && options.Get("uuid").IsString(),
            "dir and uuid are strings");
    const std::string folder = options.Get("dir").As<Napi::String>();
    std::shared_ptr<const Codec> codec = codec_of(options.Get("codec"));
    SegmentShape shape;
    shape.uuid = parse_uuid(options.Get("uuid").As<Napi::String>());
    shape.codec_uuid = codec->uuid();
    shape.lists = static_cast<uint32_t>(codec->lists());
    for (size_t i = 0; i < codec->level_count(); ++i) shape.levels.push_back(codec->level_bits(i));
    const bool vectors = options.Get("vectors").ToBoolean();
    shape.vector_bytes = vectors ? static_cast<uint32_t>(codec->dims()) : 0;
    const uint64_t rows_hint = natural(options.Get("rowsHint"), "rowsHint");
    const uint64_t memory_bytes = natural(options.Get("memoryBytes"), "memoryBytes");
    const bool resumable = options.Get("resumable").ToBoolean();
    auto writer = std::make_shared<SegmentWriter>(folder, std::move(shape), rows_hint, memory_bytes,
                                                  resumable);
    auto* constructor = static_cast<Napi::FunctionReference*>(info.Data());
    const Napi::Object object = constructor->New({});
    JsSegmentWriter::Unwrap(object)->hold(std::move(writer), std::move(codec), folder);
    return object;
  });
}

}  // namespace

void init_segment_writer(Napi::Env env, Napi::Object exports) {
  auto* writer_class = new Napi::FunctionReference(Napi::Persistent(JsSegmentWriter::define(env)));
  env.AddCleanupHook([writer_class] { delete writer_class; });
  exports.Set("createSegmentWriter",
              Napi::Function::New(env, CreateSegmentWriter, "createSegmentWriter", writer_class));
}

}  // namespace corvid
