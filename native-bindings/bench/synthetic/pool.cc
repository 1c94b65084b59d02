#include "bench/synthetic/pool.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "bench/synthetic/hash.h"

// Compiled for three widths of vector and chosen when the addon is loaded, where the C library can
// do that. Multiplies and adds stay apart in all of them, so they agree bit by bit.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define CORVID_WIDTHS __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define CORVID_WIDTHS
#endif

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

#if defined(__GNUC__)

// Sixteen floats in as many registers as the machine needs for them. Loads need no alignment: the
// type is spelt out where they happen, because `auto` would forget that.
typedef float Lanes __attribute__((vector_size(64)));
typedef float LooseLanes __attribute__((vector_size(64), aligned(4)));

CORVID_WIDTHS
void add_weighted_rows(const float* start, const WeightedRow* rows, size_t count, size_t sums,
                       float* out) {
  static_assert(VectorPool::kPartDims == 8 * 16, "eight registers hold the sums");
  for (size_t part = 0; part < kDims / VectorPool::kPartDims; ++part) {
    const size_t d = part * VectorPool::kPartDims;
    const LooseLanes* from = reinterpret_cast<const LooseLanes*>(start + d);
    for (size_t s = 0; s < sums; ++s) {
      Lanes a = from[0], b = from[1], c = from[2], e = from[3];
      Lanes f = from[4], g = from[5], h = from[6], i = from[7];
      for (const WeightedRow *k = rows + s * count, *end = k + count; k < end; ++k) {
        const LooseLanes* row =
            reinterpret_cast<const LooseLanes*>(k->row + part * VectorPool::kPartsApart);
        const Lanes weight = Lanes{} + k->weight;
        a += weight * row[0];
        b += weight * row[1];
        c += weight * row[2];
        e += weight * row[3];
        f += weight * row[4];
        g += weight * row[5];
        h += weight * row[6];
        i += weight * row[7];
      }
      LooseLanes* to = reinterpret_cast<LooseLanes*>(out + s * kDims + d);
      to[0] = a;
      to[1] = b;
      to[2] = c;
      to[3] = e;
      to[4] = f;
      to[5] = g;
      to[6] = h;
      to[7] = i;
    }
  }
}

#else

void add_weighted_rows(const float* start, const WeightedRow* rows, size_t count, size_t sums,
                       float* out) {
  for (size_t s = 0; s < sums; ++s, rows += count, out += kDims) {
    std::copy(start, start + kDims, out);
    for (size_t k = 0; k < count; ++k) {
      for (size_t d = 0; d < kDims; ++d) {
        out[d] += rows[k].weight * rows[k].row[d / VectorPool::kPartDims * VectorPool::kPartsApart +
                                               d % VectorPool::kPartDims];
      }
    }
  }
}

#endif

}  // namespace corvid
