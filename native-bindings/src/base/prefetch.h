// Prefetch hints to the processor. They change no result, and do nothing on other compilers than
// GCC and clang.
#ifndef CORVID_BASE_PREFETCH_H_
#define CORVID_BASE_PREFETCH_H_

#include <cstddef>
#include <cstdint>

#include "base/aligned.h"

namespace corvid {

// Into all cache levels, for bytes that will be read soon.
inline void prefetch(const void* first, size_t bytes) {
#if defined(__GNUC__) || defined(__clang__)
  const auto* at = static_cast<const uint8_t*>(first);
  for (size_t i = 0; i < bytes; i += kCacheLineBytes) __builtin_prefetch(at + i);
#else
  (void)first, (void)bytes;
#endif
}

// Into the second-level cache, for bytes that will be read a little later.
inline void prefetch_later(const void* first, size_t bytes) {
#if defined(__GNUC__) || defined(__clang__)
  const auto* at = static_cast<const uint8_t*>(first);
  for (size_t i = 0; i < bytes; i += kCacheLineBytes) __builtin_prefetch(at + i, 0, 2);
#else
  (void)first, (void)bytes;
#endif
}

}  // namespace corvid

#endif  // CORVID_BASE_PREFETCH_H_
