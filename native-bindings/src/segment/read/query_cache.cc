// Holds one codec and one query per thread, and checks a query when it changes.
#include "segment/read/query_cache.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "simd/contract.h"

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
  const bool same_codec = last.context != nullptr && last.codec == codec;
  if (same_codec && std::memcmp(last.query.data(), query, dims * sizeof(float)) == 0) {
    return *last.context;
  }
  if (!kernels().loops->all_finite(query, dims)) {
    const float* first =
        std::find_if_not(query, query + dims, [](float x) { return std::isfinite(x); });
    throw Error("ERR_VECTOR_INVALID", "the query contains NaN or infinity")
        .actual("number " + std::to_string(first - query));
  }
  if (!same_codec) {
    last.context = std::make_unique<QueryContext>(*codec);
    last.codec = codec;
  }
  last.query.assign(query, query + dims);
  last.context->set(query);
  return *last.context;
}

}  // namespace corvid
