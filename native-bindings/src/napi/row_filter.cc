#include "napi/row_filter.h"

#include <utility>

namespace corvid {
namespace {

// Withdraws its filter when it is freed or collected.
class JsRowFilter : public Napi::ObjectWrap<JsRowFilter> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "RowFilter", {InstanceMethod<&JsRowFilter::Free>("free")});
  }
  explicit JsRowFilter(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsRowFilter>(info) {}
  ~JsRowFilter() override { RowFilter::withdraw(handle_); }

  void hold(Napi::Object self, std::shared_ptr<const RowFilter> filter) {
    const auto kept_rows = static_cast<double>(filter->kept_rows());
    handle_ = RowFilter::publish(std::move(filter));
    self.Set("handle", Napi::Number::New(Env(), static_cast<double>(handle_)));
    self.Set("rows", Napi::Number::New(Env(), kept_rows));
  }

 private:
  void Free(const Napi::CallbackInfo&) {
    RowFilter::withdraw(handle_);
    handle_ = 0;
  }
  uint64_t handle_ = 0;
};

}  // namespace

Napi::Function define_row_filter(Napi::Env env) { return JsRowFilter::define(env); }

Napi::Object new_row_filter(const Napi::FunctionReference& constructor,
                            std::shared_ptr<const RowFilter> filter) {
  const Napi::Object object = constructor.New({});
  JsRowFilter::Unwrap(object)->hold(object, std::move(filter));
  return object;
}

}  // namespace corvid
