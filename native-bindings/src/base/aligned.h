// Vectors whose storage starts on a cache line, so that no aligned register load crosses one.
#ifndef CORVID_BASE_ALIGNED_H_
#define CORVID_BASE_ALIGNED_H_

#include <cstddef>
#include <new>
#include <vector>

namespace corvid {

constexpr size_t kCacheLineBytes = 64;

template <typename T>
struct CacheLineAllocator {
  using value_type = T;
  CacheLineAllocator() = default;
  template <typename U>
  CacheLineAllocator(const CacheLineAllocator<U>&) {}

  T* allocate(size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t(kCacheLineBytes)));
  }
  void deallocate(T* memory, size_t) {
    ::operator delete(memory, std::align_val_t(kCacheLineBytes));
  }

  template <typename U>
  bool operator==(const CacheLineAllocator<U>&) const {
    return true;
  }
  template <typename U>
  bool operator!=(const CacheLineAllocator<U>&) const {
    return false;
  }
};

template <typename T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

}  // namespace corvid

#endif  // CORVID_BASE_ALIGNED_H_
