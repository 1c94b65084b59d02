#include "codec/routing.h"

#include <algorithm>
#include <cmath>

#include "codec/eigen.h"
#include "codec/matrix.h"
#include "kernels.h"

namespace corvid {
namespace {

void make_unit(float* x, size_t dims) {
  const float length = std::sqrt(squared_length(x, dims));
  if (length == 0) return;
  for (size_t d = 0; d < dims; ++d) x[d] /= length;
}

std::vector<float> padded(const Codec& codec, const float* query) {
  std::vector<float> result(codec.padded_dims(), 0.0f);
  std::copy_n(query, codec.dims(), result.begin());
  return result;
}

}  // namespace

float quantise(const float* values, size_t count, int8_t* out) {
  float largest = 0;
  for (size_t i = 0; i < count; ++i) largest = std::max(largest, std::fabs(values[i]));
  const float scale = largest > 0 ? largest / 127 : 1;
  for (size_t i = 0; i < count; ++i) {
    out[i] = static_cast<int8_t>(std::lrint(values[i] / scale));
  }
  return scale;
}

void write_routing(CodecDraft& draft, const std::vector<float>& centers) {
  const size_t dims = draft.head().padded_dims, routing_dims = draft.head().routing_dims;
  const size_t lists = draft.head().lists;
  std::vector<float> vectors = centers;
  for (size_t list = 0; list < lists; ++list) make_unit(&vectors[list * dims], dims);
  if (routing_dims < dims) {
    std::vector<float> products(dims * dims, 0.0f);
    add_outer_products(vectors.data(), lists, dims, products.data());
    const Eigen eigen = symmetric_eigen(products.data(), dims);
    std::vector<float> columns(dims * routing_dims);
    transpose(eigen.vectors.data(), routing_dims, dims, dims, columns.data(), routing_dims);
    kernels().float_to_half(columns.data(), draft.routing_projection(), columns.size());
    std::vector<float> projected(lists * routing_dims);
    kernels().gemm_nt(lists, routing_dims, dims, vectors.data(), dims, eigen.vectors.data(), dims,
                      projected.data(), routing_dims, false);
    vectors = std::move(projected);
    for (size_t list = 0; list < lists; ++list) {
      make_unit(&vectors[list * routing_dims], routing_dims);
    }
  }
  for (size_t list = 0; list < lists; ++list) {
    draft.routing_scales()[list] = quantise(&vectors[list * routing_dims], routing_dims,
                                            draft.routing_vectors() + list * routing_dims);
  }
}

void routing_query(const Codec& codec, const float* query, float* out) {
  const std::vector<float> whole = padded(codec, query);
  if (codec.routing_projection() == nullptr) {
    std::copy(whole.begin(), whole.end(), out);
    return;
  }
  kernels().vector_matrix(whole.data(), codec.routing_projection(), codec.padded_dims(),
                          codec.head().routing_dims, out);
}

void routing_vector(const Codec& codec, uint32_t list, float* out) {
  const size_t dims = codec.head().routing_dims;
  const int8_t* vector = codec.routing_vectors() + list * dims;
  for (size_t d = 0; d < dims; ++d) out[d] = codec.routing_scales()[list] * vector[d];
}

}  // namespace corvid
