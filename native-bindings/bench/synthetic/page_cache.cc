// Page-cache calls of Linux; other systems get the fallbacks that the header names.
#include "bench/synthetic/page_cache.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "io/mapped_file.h"

#ifdef __linux__
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace corvid {

void drop_cached(const std::string& path) {
#ifdef __linux__
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw Error("ERR_NOT_FOUND", "the file cannot be opened").path(path);
  const bool synced = fdatasync(file) == 0;
  const bool dropped = posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0;
  close(file);
  if (!synced || !dropped)
    throw Error("ERR_IO", "the cached pages of the file cannot be dropped").path(path);
#else
  (void)path;
#endif
}

uint64_t cached_bytes(const std::string& path) {
  const MappedFile map(path);
#ifdef __linux__
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((map.size_bytes() + page - 1) / page);
  // mincore takes a non-const pointer but does not write through it.
  void* data = const_cast<uint8_t*>(map.data());
  if (map.size_bytes() > 0 && mincore(data, map.size_bytes(), pages.data()) != 0) {
    throw Error("ERR_IO", "the cached pages of the file cannot be counted").path(path);
  }
  const auto present = static_cast<uint64_t>(
      std::count_if(pages.begin(), pages.end(), [](unsigned char one) { return (one & 1) != 0; }));
  return std::min<uint64_t>(present * page, map.size_bytes());
#else
  return map.size_bytes();
#endif
}

uint64_t read_mapped(const std::string& path, size_t threads) {
  constexpr size_t kShareBytes = size_t{4} << 20;
  constexpr size_t kLanes = 32;  // partial sums, so that memory is the bottleneck and not additions
  const MappedFile map(path);
  map.advise(MappedFile::Access::kSequential);
  std::atomic<uint64_t> total{0};
  parallel_for((map.size_bytes() + kShareBytes - 1) / kShareBytes, threads,
               [&](size_t share, size_t) {
                 const size_t first = share * kShareBytes;
                 const size_t bytes = std::min(kShareBytes, map.size_bytes() - first);
                 uint64_t sums[kLanes] = {}, words[kLanes];
                 for (size_t at = 0; at + sizeof(words) <= bytes; at += sizeof(words)) {
                   std::memcpy(words, map.data() + first + at, sizeof(words));
                   for (size_t i = 0; i < kLanes; ++i) sums[i] += words[i];
                 }
                 uint64_t sum = 0;
                 for (const uint64_t one : sums) sum += one;
                 total += sum;
               });
  return total;
}

}  // namespace corvid
