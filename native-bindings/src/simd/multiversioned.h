// Vectors of sixteen lanes that the compiler maps to whatever registers a machine has.
//
// Functions marked CORVID_WIDE are compiled once per instruction set, and the loader picks one.
// They use only multiplies, adds, divides, comparisons and selections, never fused, so the choice
// never changes a bit of the result.
#ifndef CORVID_SIMD_MULTIVERSIONED_H_
#define CORVID_SIMD_MULTIVERSIONED_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace corvid {

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define CORVID_WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CORVID_WIDE
#endif

constexpr size_t kLanes = 16;
typedef float FloatLanes __attribute__((vector_size(kLanes * sizeof(float)), aligned(4)));
typedef int32_t IntLanes __attribute__((vector_size(kLanes * sizeof(int32_t)), aligned(4)));
typedef uint8_t ByteLanes __attribute__((vector_size(kLanes), aligned(1)));

// Rows rounded up to whole vectors.
constexpr size_t whole_lanes(size_t rows) { return (rows + kLanes - 1) / kLanes * kLanes; }

}  // namespace corvid

#endif  // CORVID_SIMD_MULTIVERSIONED_H_
