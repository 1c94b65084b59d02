// JavaScript class NativeSegmentWriter (its type: src/native/segment.ts).
#include <memory>
#include <string>
#include <utility>

#include "napi/bridge.h"
#include "napi/classes.h"
#include "napi/codec.h"
#include "napi/segment.h"
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
      require(info[0].IsObject(), "the batch is not an object");
      const auto batch = info[0].As<Napi::Object>();
      const SegmentShape& shape = writer_->shape();
      RowBatch rows{};
      rows.rows = natural(batch.Get("rows"), "rows");
      const View<uint32_t> lists = uint32s(batch.Get("lists"), "lists");
      const View<uint8_t> codes = bytes(batch.Get("codes"), "codes");
      const View<double> ids = doubles(info[1], "ids");
      require(lists.size == rows.rows, "lists is not one list per row");
      require(ids.size == rows.rows, "ids is not one id per row");
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
            // Opened as a reader would, so that a segment that cannot be read is never published.
            *segment = Segment::open(folder, codec);
          },
          [segment](Napi::Env env) { return segment_info(env, **segment); });
    });
  }

  Napi::Value Progress(const Napi::CallbackInfo& info) {
    const WriterProgress progress = writer_->progress();
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("phase", progress.phase);
    result.Set("done", number(info.Env(), progress.done));
    result.Set("total", number(info.Env(), progress.total));
    return result;
  }

  Napi::Value ResumedRows(const Napi::CallbackInfo& info) {
    return number(info.Env(), writer_->resumed_rows());
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
    require(info[0].IsObject(), "options is not an object");
    const auto options = info[0].As<Napi::Object>();
    const std::string folder = text(options.Get("dir"), "dir");
    std::shared_ptr<const Codec> codec = codec_of(options.Get("codec"));
    SegmentShape shape;
    shape.uuid = parse_uuid(text(options.Get("uuid"), "uuid"));
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
    const Napi::Object object = constructor_in(info).New({});
    JsSegmentWriter::Unwrap(object)->hold(std::move(writer), std::move(codec), folder);
    return object;
  });
}

}  // namespace

void init_segment_writer(Napi::Env env, Napi::Object exports) {
  Napi::FunctionReference* writer_class = kept_class(env, JsSegmentWriter::define(env));
  exports.Set("createSegmentWriter",
              Napi::Function::New(env, CreateSegmentWriter, "createSegmentWriter", writer_class));
}

}  // namespace corvid
