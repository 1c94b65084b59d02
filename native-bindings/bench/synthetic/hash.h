// Hashes of counters. They replace a random sequence where every row must be computable from its
// number alone.
#ifndef CORVID_BENCH_SYNTHETIC_HASH_H_
#define CORVID_BENCH_SYNTHETIC_HASH_H_

#include <cstdint>

namespace corvid {

// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every bit of the result depends on every
// bit of `value`.
inline uint64_t mixed(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

// The `index`-th hash of the stream `key`.
inline uint64_t hashed(uint64_t key, uint64_t index) {
  return mixed(key + (index + 1) * 0x9e3779b97f4a7c15u);
}

}  // namespace corvid

#endif  // CORVID_BENCH_SYNTHETIC_HASH_H_
