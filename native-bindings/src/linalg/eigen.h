// Eigenvectors of symmetric matrices, for the codec's principal directions. Deterministic.
#ifndef CORVID_LINALG_EIGEN_H_
#define CORVID_LINALG_EIGEN_H_

#include <cstddef>
#include <vector>

namespace corvid {

struct Eigen {
  std::vector<float> values;   // n, descending
  std::vector<float> vectors;  // n x n, row i the unit eigenvector of values[i]
};

// All eigenvalues and eigenvectors of the symmetric n x n `matrix`. The sign of each vector makes
// its component of largest magnitude (the first on a tie) positive.
Eigen symmetric_eigen(const float* matrix, size_t n);

}  // namespace corvid

#endif  // CORVID_LINALG_EIGEN_H_
