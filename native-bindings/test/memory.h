// What the checks of kernels share: random numbers, and memory that ends at a forbidden page.
#ifndef CORVID_TEST_MEMORY_H_
#define CORVID_TEST_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>

#ifndef _WIN32
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace corvid {

inline std::mt19937_64 generator;
inline uint64_t pick(uint64_t below) { return generator() % below; }

// Memory whose last byte is followed by a forbidden page.
class Fenced {
 public:
  explicit Fenced(size_t size) : size_(size) {
#ifndef _WIN32
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    mapped_ = (size + page - 1) / page * page + page;
    base_ = static_cast<uint8_t*>(
        mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base_ + mapped_ - page, page, PROT_NONE);
    data_ = base_ + mapped_ - page - size;
#else
    base_ = data_ = new uint8_t[size];
#endif
    for (size_t i = 0; i < size_; ++i) data_[i] = static_cast<uint8_t>(generator());
  }
  ~Fenced() {
#ifndef _WIN32
    munmap(base_, mapped_);
#else
    delete[] base_;
#endif
  }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;
  uint8_t* data() const { return data_; }
  template <typename T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }

 private:
  size_t size_, mapped_ = 0;
  uint8_t *base_, *data_;
};

inline void fill_floats(float* values, size_t count) {
  std::normal_distribution<float> normal;
  for (size_t i = 0; i < count; ++i) values[i] = normal(generator);
}

}  // namespace corvid

#endif  // CORVID_TEST_MEMORY_H_
