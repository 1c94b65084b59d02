#include "codec/train/rotation.h"

#include <cmath>

#include "linalg/matrix.h"
#include "simd/contract.h"

namespace corvid {

std::vector<float> random_rotation(size_t dims, size_t count, Random& random) {
  // Gram-Schmidt on normally distributed rows, twice for precision.
  std::vector<float> rows(count * dims);
  for (size_t i = 0; i < count; ++i) {
    float* row = &rows[i * dims];
    for (size_t d = 0; d < dims; ++d) row[d] = static_cast<float>(random.normal());
    for (size_t pass = 0; pass < 2; ++pass) {
      for (size_t j = 0; j < i; ++j) {
        const float product = kernels().dot(row, &rows[j * dims], dims);
        for (size_t d = 0; d < dims; ++d) row[d] -= product * rows[j * dims + d];
      }
      const float length = std::sqrt(squared_length(row, dims));
      for (size_t d = 0; d < dims; ++d) row[d] /= length;
    }
  }
  return rows;
}

}  // namespace corvid
