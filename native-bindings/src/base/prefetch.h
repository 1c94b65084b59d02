// Advice to the processor: bytes that will be read soon.
#ifndef CORVID_BASE_PREFETCH_H_
#define CORVID_BASE_PREFETCH_H_

#include <cstddef>
#include <cstdint>

#include "base/aligned.h"

namespace corvid {

inline void prefetch(const void* first, size_t bytes) {
#if defined(__GNUC__) || defined(__clang__)
  const auto* at = static_cast<const uint8_t*>(first);
  for (size_t i = 0; i < bytes; i += kCacheLineBytes) __builtin_prefetch(at + i);
#else
  (void)first, (void)bytes;
#endif
}

// Not so soon: they go to the second-level cache.
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
