// Householder reduction to tridiagonal form, then QL with implicit shifts (Golub and Van Loan,
// Matrix Computations, 8.3), arranged so that every inner loop runs along a row in memory.
#include "linalg/eigen.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "simd/contract.h"

namespace corvid {
namespace {

// QL sweeps that one eigenvalue may take; two are usual.
constexpr int kMaxIterations = 60;

struct Tridiagonal {
  std::vector<double> diagonal;
  std::vector<double> below;      // n: below[i] is element (i + 1, i); the last is zero
  std::vector<float> basis_rows;  // n x n: row i is column i of the orthogonal basis
};

// A = B T Bᵀ. Overwrites `a`, n x n; reads only its lower triangle.
Tridiagonal tridiagonalise(std::vector<double>& a, size_t n) {
  const Loops& loops = *kernels().loops;
  Tridiagonal t{std::vector<double>(n), std::vector<double>(n), {}};
  std::vector<double> half_norms(n, 0);  // H of each reflection I − v vᵀ / H; v stays in row k
  std::vector<double> p(n);
  for (size_t k = n; k-- > 1;) {
    double* v = &a[k * n];
    t.diagonal[k] = v[k];
    const double length = std::sqrt(loops.dot_f64(v, v, k));
    const double side = v[k - 1] < 0 ? -1 : 1;
    t.below[k - 1] = -side * length;
    if (k == 1) t.below[0] = v[0];
    if (k == 1 || length == 0) continue;
    const double half = length * length + std::fabs(v[k - 1]) * length;
    v[k - 1] += side * length;
    half_norms[k] = half;
    std::fill(p.begin(), p.begin() + k, 0.0);
    for (size_t i = 0; i < k; ++i) {
      p[i] += loops.dot_f64(&a[i * n], v, i + 1);
      loops.add_scaled_f64(p.data(), v[i], &a[i * n], i);
    }
    for (size_t i = 0; i < k; ++i) p[i] /= half;
    loops.add_scaled_f64(p.data(), -loops.dot_f64(p.data(), v, k) / (2 * half), v, k);
    for (size_t i = 0; i < k; ++i)
      loops.add_two_scaled_f64(&a[i * n], -v[i], p.data(), -p[i], v, i + 1);
  }
  t.diagonal[0] = a[0];

  std::vector<double> rows(n * n, 0);
  for (size_t i = 0; i < n; ++i) rows[i * n + i] = 1;
  for (size_t k = 2; k < n; ++k) {
    if (half_norms[k] == 0) continue;
    const double* v = &a[k * n];
    for (size_t i = 0; i < k; ++i) {
      loops.add_scaled_f64(&rows[i * n], -loops.dot_f64(&rows[i * n], v, k) / half_norms[k], v, k);
    }
  }
  t.basis_rows.assign(rows.begin(), rows.end());
  return t;
}

// One implicit QL sweep on the unreduced block [first, last].
void sweep(Tridiagonal& t, size_t first, size_t last, size_t n) {
  const Loops& loops = *kernels().loops;
  std::vector<double>& d = t.diagonal;
  std::vector<double>& e = t.below;
  double g = (d[first + 1] - d[first]) / (2 * e[first]);
  double r = std::hypot(g, 1.0);
  g = d[last] - d[first] + e[first] / (g + (g < 0 ? -r : r));
  double sine = 1, cosine = 1, p = 0;
  for (size_t i = last; i-- > first;) {
    double f = sine * e[i];
    const double b = cosine * e[i];
    r = std::hypot(f, g);
    e[i + 1] = r;
    if (r == 0) {
      d[i + 1] -= p;
      e[last] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = d[i + 1] - p;
    r = (d[i] - g) * sine + 2 * cosine * b;
    p = sine * r;
    d[i + 1] = g + p;
    g = cosine * r - b;
    loops.rotate(&t.basis_rows[i * n], &t.basis_rows[(i + 1) * n], static_cast<float>(cosine),
                 static_cast<float>(sine), n);
  }
  d[first] -= p;
  e[first] = g;
  e[last] = 0;
}

void diagonalise(Tridiagonal& t, size_t n) {
  for (size_t first = 0; first < n; ++first) {
    for (int iteration = 0;; ++iteration) {
      size_t last = first;
      while (last + 1 < n) {
        const double scale = std::fabs(t.diagonal[last]) + std::fabs(t.diagonal[last + 1]);
        if (std::fabs(t.below[last]) <= 1e-14 * scale + 1e-300) break;
        ++last;
      }
      if (last == first) break;
      if (iteration == kMaxIterations) {
        throw Error("ERR_NATIVE", "the eigenvalues of a covariance matrix did not converge");
      }
      sweep(t, first, last, n);
    }
  }
}

}  // namespace

Eigen symmetric_eigen(const float* matrix, size_t n) {
  std::vector<double> a(matrix, matrix + n * n);
  Tridiagonal t = tridiagonalise(a, n);
  diagonalise(t, n);

  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t x, size_t y) { return t.diagonal[x] > t.diagonal[y]; });
  Eigen result{std::vector<float>(n), std::vector<float>(n * n)};
  for (size_t i = 0; i < n; ++i) {
    const float* from = &t.basis_rows[order[i] * n];
    const float* largest = std::max_element(
        from, from + n, [](float x, float y) { return std::fabs(x) < std::fabs(y); });
    const float sign = *largest < 0 ? -1.0f : 1.0f;
    result.values[i] = static_cast<float>(t.diagonal[order[i]]);
    for (size_t d = 0; d < n; ++d) result.vectors[i * n + d] = sign * from[d];
  }
  return result;
}

}  // namespace corvid
