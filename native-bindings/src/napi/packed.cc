// JavaScript class NativePackedCodes (its type: src/native/packed.ts): a mapped file of packed
// codes that the caller supplies.
#include <memory>
#include <string>
#include <vector>

#include "io/mapped_file.h"
#include "napi/bridge.h"
#include "napi/classes.h"
#include "search/packed_scan.h"

namespace corvid {
namespace {

class JsPackedCodes : public Napi::ObjectWrap<JsPackedCodes> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "PackedCodes",
                       {
                           InstanceMethod<&JsPackedCodes::Scan>("scan"),
                           InstanceMethod<&JsPackedCodes::Close>("close"),
                       });
  }

  explicit JsPackedCodes(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsPackedCodes>(info) {
    guarded(info.Env(), [&] {
      const std::string path = text(info[0], "path");
      const uint64_t offset = natural(info[1], "offset");
      rows_ = natural(info[2], "rows");
      stride_bytes_ = natural(info[3], "strideBytes");
      require(stride_bytes_ >= 8 && stride_bytes_ <= 128 && stride_bytes_ % 8 == 0,
              "strideBytes is not a multiple of 8 from 8 to 128");
      file_ = std::make_unique<MappedFile>(path);
      const uint64_t bytes = file_->size_bytes();
      require(offset <= bytes && rows_ <= (bytes - offset) / stride_bytes_,
              "the file is shorter than its rows");
      codes_ = file_->data() + offset;
    });
  }

 private:
  Napi::Value Scan(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      if (file_ == nullptr) throw Error("ERR_CLOSED", "the codes were closed");
      const View<uint8_t> query = bytes(info[0], "query");
      const uint64_t first = natural(info[1], "firstRow"), last = natural(info[2], "lastRow");
      require(query.size == stride_bytes_, "query is not of length strideBytes");
      require(first <= last && last <= rows_, "the range of rows is not within the file");
      const std::vector<PackedHit> hits =
          packed_scan(codes_ + first * stride_bytes_, stride_bytes_, last - first, query.data,
                      natural(info[3], "limit"));
      Napi::Float64Array rows = Napi::Float64Array::New(info.Env(), hits.size());
      Napi::Uint16Array distances = Napi::Uint16Array::New(info.Env(), hits.size());
      for (size_t i = 0; i < hits.size(); ++i) {
        rows[i] = static_cast<double>(first + hits[i].row);
        distances[i] = hits[i].distance_bits;
      }
      Napi::Object result = Napi::Object::New(info.Env());
      result.Set("rows", rows);
      result.Set("distances", distances);
      return result;
    });
  }

  void Close(const Napi::CallbackInfo&) { file_.reset(); }

  std::unique_ptr<const MappedFile> file_;
  const uint8_t* codes_ = nullptr;
  uint64_t rows_ = 0;
  size_t stride_bytes_ = 0;
};

}  // namespace

void init_packed(Napi::Env env, Napi::Object exports) {
  exports.Set("PackedCodes", JsPackedCodes::define(env));
}

}  // namespace corvid
