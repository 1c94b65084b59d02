// Pseudorandom numbers: a seed gives the same sequence on every machine and compiler. Not for
// cryptography.
#ifndef CORVID_BASE_RANDOM_H_
#define CORVID_BASE_RANDOM_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace corvid {

// SplitMix64 (Steele, Lea, Flood 2014): good enough to draw samples and directions, and small
// enough that every part of training can have a separate stream.
class Random {
 public:
  Random(uint64_t seed, uint64_t stream) : state_(seed ^ (stream * 0xd1342543de82ef95u)) { next(); }

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  // Uniform in [0, bound); bound > 0. The modulo bias of bound / 2^64 does not matter here.
  size_t below(size_t bound) { return static_cast<size_t>(next() % bound); }

  // Uniform in (0, 1).
  double uniform() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1p-53; }

  // Standard normal (Box-Muller transform).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

 private:
  uint64_t state_;
};

// `count` distinct integers below `bound`, in random order; count <= bound. (Partial Fisher-Yates
// shuffle.)
inline std::vector<uint32_t> draw_distinct(Random& random, size_t bound, size_t count) {
  std::vector<uint32_t> numbers(bound);
  for (size_t i = 0; i < bound; ++i) numbers[i] = static_cast<uint32_t>(i);
  for (size_t i = 0; i < count; ++i) std::swap(numbers[i], numbers[i + random.below(bound - i)]);
  numbers.resize(count);
  return numbers;
}

}  // namespace corvid

#endif  // CORVID_BASE_RANDOM_H_
