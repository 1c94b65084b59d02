// The JavaScript object owns the publication of its filter.
#include "napi/row_filter.h"

#include <utility>

#include "napi/bridge.h"

namespace corvid {
namespace {

// Withdraws its filter when it is freed or garbage-collected.
class JsRowFilter : public Napi::ObjectWrap<JsRowFilter> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "RowFilter", {InstanceMethod<&JsRowFilter::Free>("free")});
  }
  explicit JsRowFilter(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsRowFilter>(info) {}
  ~JsRowFilter() override { RowFilter::withdraw(handle_); }

  void hold(Napi::Object self, std::shared_ptr<const RowFilter> filter) {
    const uint64_t kept_rows = filter->kept_rows();
    handle_ = RowFilter::publish(std::move(filter));
    self.Set("handle", number(Env(), handle_));
    self.Set("rows", number(Env(), kept_rows));
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
