#include "codec/query/routing.h"

#include <algorithm>
#include <vector>

#include "codec/query/quantized_query.h"

namespace corvid {

void routing_queries(const Codec& codec, const float* queries, size_t count, float* out) {
  const size_t dims = codec.dims(), width = codec.head().routing_dims;
  if (!codec.projects_for_routing()) {
    for (size_t q = 0; q < count; ++q) {
      float* const to = out + q * width;
      std::fill(std::copy_n(queries + q * dims, dims, to), to + width, 0.0f);
    }
    return;
  }
  thread_local std::vector<QuantizedQuery> quantized;
  if (quantized.size() < count) quantized.resize(count);
  for (size_t q = 0; q < count; ++q) quantized[q].set(queries + q * dims, dims);
  products_of_all(quantized.data(), count, codec.routing_projection(), out);
}

void routing_vector(const Codec& codec, uint32_t list, float* out) {
  codec.routing_vectors().read(list, codec.head().routing_dims, out);
}

}  // namespace corvid
