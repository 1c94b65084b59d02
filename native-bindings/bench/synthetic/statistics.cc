// Covariance spectra and inner products by the library's linear algebra.
#include "bench/synthetic/statistics.h"

#include <algorithm>

#include "bench/parallel_gemm.h"
#include "linalg/eigen.h"
#include "linalg/matrix.h"

namespace corvid {

std::vector<double> principal_variances(const float* values, size_t rows, size_t dims) {
  std::vector<double> mean(dims);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t d = 0; d < dims; ++d) mean[d] += values[r * dims + d];
  }
  std::vector<float> centred(values, values + rows * dims);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t d = 0; d < dims; ++d) {
      centred[r * dims + d] -= static_cast<float>(mean[d] / static_cast<double>(rows));
    }
  }
  // The covariance and the Gram matrix have the same nonzero eigenvalues: take the smaller one.
  const size_t n = std::min(rows, dims);
  std::vector<float> products(n * n);
  if (rows < dims) {
    kernels().gemm_nt(rows, rows, dims, centred.data(), dims, centred.data(), dims, products.data(),
                      rows, false);
  } else {
    add_outer_products(centred.data(), rows, dims, products.data());
  }
  std::vector<double> variances;
  for (const float value : symmetric_eigen(products.data(), n).values) {
    variances.push_back(std::max(0.0, value / static_cast<double>(rows)));
  }
  return variances;
}

std::vector<float> inner_products(const float* a, size_t m, const float* b, size_t n, size_t dims,
                                  size_t threads) {
  // parallel_gemm_nt splits the rows of the left matrix, so the larger one goes there, and the
  // result is transposed.
  std::vector<float> transposed(n * m), products(m * n);
  parallel_gemm_nt(threads, n, m, dims, b, dims, a, dims, transposed.data(), m, false);
  transpose(transposed.data(), n, m, m, products.data(), n);
  return products;
}

}  // namespace corvid
