// Eigenvectors of symmetric matrices, for the principal directions of the codec.
#ifndef CORVID_LINALG_EIGEN_H_
#define CORVID_LINALG_EIGEN_H_

#include <cstddef>
#include <vector>

namespace corvid {

struct Eigen {
  std::vector<float> values;   // n, descending
  std::vector<float> vectors;  // n x n, row i the unit eigenvector of values[i]
};

// All eigenvalues and eigenvectors of the symmetric n x n `matrix`. Deterministic: the sign of each
// vector is the one that makes its largest component (the first of equals) positive.
Eigen symmetric_eigen(const float* matrix, size_t n);

}  // namespace corvid

#endif  // CORVID_LINALG_EIGEN_H_
