#include "linalg/principal_directions.h"

#include <algorithm>

#include "linalg/eigen.h"
#include "linalg/matrix.h"

namespace corvid {

std::vector<float> principal_directions(const float* x, size_t rows, size_t dims, const float* mean,
                                        size_t kept) {
  const size_t used = std::min(rows, kPrincipalRows);
  std::vector<float> centered(used * dims);
  for (size_t i = 0; i < used; ++i) {
    const float* row = x + rows * i / used * dims;
    for (size_t d = 0; d < dims; ++d) centered[i * dims + d] = row[d] - mean[d];
  }
  std::vector<float> products(dims * dims, 0.0f);
  add_outer_products(centered.data(), used, dims, products.data());
  std::vector<float> directions = symmetric_eigen(products.data(), dims).vectors;
  directions.resize(kept * dims);
  return directions;
}

}  // namespace corvid
