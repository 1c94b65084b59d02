#include "bench/synthetic/pool.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "bench/synthetic/hash.h"

namespace corvid {
namespace {

constexpr size_t kDims = kSyntheticDims;
constexpr size_t kRounds = 3;  // of signs and Hadamard; two leave visible structure

// x becomes H x / sqrt(512), H the Hadamard matrix in Sylvester's order.
void hadamard(float* x) {
  for (size_t half = 1; half < kDims; half *= 2) {
    for (size_t block = 0; block < kDims; block += 2 * half) {
      for (size_t i = block; i < block + half; ++i) {
        const float a = x[i], b = x[i + half];
        x[i] = a + b;
        x[i + half] = a - b;
      }
    }
  }
  const float scale = 1 / std::sqrt(static_cast<float>(kDims));
  for (size_t i = 0; i < kDims; ++i) x[i] *= scale;
}

// Applies the random rotation of `key` to x: rounds of random signs and a Hadamard transform (Ailon
// and Chazelle 2006).
void rotate(float* x, uint64_t key) {
  for (size_t round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < kDims; ++i) {
      if ((hashed(key, round * kDims + i) & 1) != 0) x[i] = -x[i];
    }
    hadamard(x);
  }
}

// The standard deviation along every principal direction. The mean of the squares is 1.
std::vector<float> deviations(const double* spectrum) {
  std::vector<double> variances(kDims);
  double sum = 0;
  for (size_t d = 0; d < kDims; ++d) {
    const double x = std::log(static_cast<double>(d) + 0.5);
    size_t i = 0;
    while (i + 2 < kSpectrumPoints && std::log(kSpectrumAt[i + 1]) < x) ++i;
    const double from = std::log(kSpectrumAt[i]), to = std::log(kSpectrumAt[i + 1]);
    const double share = (x - from) / (to - from);
    variances[d] =
        std::exp((1 - share) * std::log(spectrum[i]) + share * std::log(spectrum[i + 1]));
    sum += variances[d];
  }
  std::vector<float> result(kDims);
  for (size_t d = 0; d < kDims; ++d) {
    result[d] = static_cast<float>(std::sqrt(variances[d] / sum * kDims));
  }
  return result;
}

void make_vector(const std::vector<float>& deviation, size_t number, uint64_t key, uint64_t basis,
                 float* x) {
  std::fill_n(x, kDims, 0.0f);
  x[number % kDims] = 1;
  rotate(x, hashed(key, number / kDims));
  for (size_t d = 0; d < kDims; ++d) x[d] *= deviation[d];
  rotate(x, basis);
}

}  // namespace

VectorPool::VectorPool(const double* spectrum, uint64_t key, uint64_t basis)
    : values_(kPoolRows * kDims) {
  const std::vector<float> deviation = deviations(spectrum);
  std::vector<float> x(kDims);
  for (size_t r = 0; r < kPoolRows; ++r) {
    make_vector(deviation, r, key, basis, x.data());
    for (size_t d = 0; d < kDims; ++d) {
      values_[d / kPartDims * kPartsApart + r * kPartDims + d % kPartDims] = x[d];
    }
  }
}

std::vector<float> pool_vector(const double* spectrum, uint64_t key, uint64_t basis) {
  std::vector<float> x(kDims);
  make_vector(deviations(spectrum), 0, key, basis, x.data());
  return x;
}

}  // namespace corvid
