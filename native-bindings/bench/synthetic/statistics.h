// Statistics for comparing the synthetic collection with a real one.
#ifndef CORVID_BENCH_SYNTHETIC_STATISTICS_H_
#define CORVID_BENCH_SYNTHETIC_STATISTICS_H_

#include <cstddef>
#include <vector>

namespace corvid {

// The variances of rows x dims values along their principal directions, descending: min(rows, dims)
// numbers.
std::vector<double> principal_variances(const float* values, size_t rows, size_t dims);

// All inner products of the rows of a (m x dims) and b (n x dims): m x n. Fastest if n > m.
std::vector<float> inner_products(const float* a, size_t m, const float* b, size_t n, size_t dims,
                                  size_t threads);

}  // namespace corvid

#endif  // CORVID_BENCH_SYNTHETIC_STATISTICS_H_
