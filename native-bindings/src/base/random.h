// The codec's own random numbers: the same sequence for a seed on every machine and compiler.
#ifndef CORVID_BASE_RANDOM_H_
#define CORVID_BASE_RANDOM_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace corvid {

// SplitMix64 (Steele, Lea, Flood 2014): good enough to draw samples and directions, and stateless
// enough that every part of training can have a stream of its own.
class Random {
 public:
  Random(uint64_t seed, uint64_t stream) : state_(seed ^ (stream * 0xd1342543de82ef95u)) { next(); }

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  // Below `bound`, which must not be 0. Its bias, bound / 2^64, is of no account here.
  size_t below(size_t bound) { return static_cast<size_t>(next() % bound); }

  // In (0, 1).
  double uniform() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1p-53; }

  // Standard normal (Box and Muller).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

 private:
  uint64_t state_;
};

// `count` different numbers below `bound`, ascending order not promised; count <= bound.
inline std::vector<uint32_t> draw_distinct(Random& random, size_t bound, size_t count) {
  std::vector<uint32_t> numbers(bound);
  for (size_t i = 0; i < bound; ++i) numbers[i] = static_cast<uint32_t>(i);
  for (size_t i = 0; i < count; ++i) std::swap(numbers[i], numbers[i + random.below(bound - i)]);
  numbers.resize(count);
  return numbers;
}

}  // namespace corvid

#endif  // CORVID_BASE_RANDOM_H_
