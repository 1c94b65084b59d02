// Statistics that a synthetic collection is compared with a real one by.
#ifndef CORVID_BENCH_SYNTHETIC_STATISTICS_H_
#define CORVID_BENCH_SYNTHETIC_STATISTICS_H_

#include <cstddef>
#include <vector>

namespace corvid {

// Variances along the principal directions of the rows (rows x dims) about their mean, descending;
// min(rows, dims) numbers.
std::vector<double> principal_variances(const float* values, size_t rows, size_t dims);

// a (m x dims) times b (n x dims) transposed: m x n inner products.
std::vector<float> inner_products(const float* a, size_t m, const float* b, size_t n, size_t dims,
                                  size_t threads);

}  // namespace corvid

#endif  // CORVID_BENCH_SYNTHETIC_STATISTICS_H_
