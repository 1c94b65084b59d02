#include "segment/query_cache.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "error.h"

namespace corvid {
namespace {

struct LastQuery {
  std::shared_ptr<const Codec> codec;
  std::vector<float> query;
  std::unique_ptr<QueryContext> context;
};

}  // namespace

QueryContext& query_context(const std::shared_ptr<const Codec>& codec, const float* query) {
  static thread_local LastQuery last;
  const size_t dims = codec->dims();
  if (last.context != nullptr && last.codec == codec &&
      std::memcmp(last.query.data(), query, dims * sizeof(float)) == 0) {
    return *last.context;
  }
  for (size_t i = 0; i < dims; ++i) {
    if (std::isfinite(query[i])) continue;
    throw Error("ERR_VECTOR_INVALID", "the query holds NaN or infinity")
        .actual("number " + std::to_string(i));
  }
  last.context.reset();
  last.codec = codec;
  last.query.assign(query, query + dims);
  last.context = std::make_unique<QueryContext>(*codec, query);
  return *last.context;
}

}  // namespace corvid
