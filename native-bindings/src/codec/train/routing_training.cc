#include "codec/train/routing_training.h"

#include <cmath>
#include <utility>

#include "codec/format/panels.h"
#include "linalg/eigen.h"
#include "linalg/matrix.h"
#include "simd/contract.h"

namespace corvid {
namespace {

void make_unit(float* x, size_t dims) {
  const float length = std::sqrt(squared_length(x, dims));
  if (length == 0) return;
  for (size_t d = 0; d < dims; ++d) x[d] /= length;
}

}  // namespace

void write_routing(CodecDraft& draft, const std::vector<float>& centers) {
  const size_t dims = draft.head().padded_dims, routing_dims = draft.head().routing_dims;
  const size_t lists = draft.head().lists;
  std::vector<float> vectors = centers;
  for (size_t list = 0; list < lists; ++list) make_unit(&vectors[list * dims], dims);
  if (routing_dims < dims) {
    std::vector<float> products(dims * dims, 0.0f);
    add_outer_products(vectors.data(), lists, dims, products.data());
    const Eigen eigen = symmetric_eigen(products.data(), dims);
    write_panels(eigen.vectors.data(), routing_dims, dims, draft.routing_projection());
    std::vector<float> projected(lists * routing_dims);
    kernels().gemm_nt(lists, routing_dims, dims, vectors.data(), dims, eigen.vectors.data(), dims,
                      projected.data(), routing_dims, false);
    vectors = std::move(projected);
    for (size_t list = 0; list < lists; ++list) {
      make_unit(&vectors[list * routing_dims], routing_dims);
    }
  }
  write_panels(vectors.data(), lists, routing_dims, draft.routing_vectors());
}

}  // namespace corvid
