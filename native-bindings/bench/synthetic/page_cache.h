// The operating system's page cache of a file: for benches that start cold, or that must know which
// process a page is charged to.
#ifndef CORVID_BENCH_SYNTHETIC_PAGE_CACHE_H_
#define CORVID_BENCH_SYNTHETIC_PAGE_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace corvid {

// Syncs the file and drops its cached pages, except those that a process has mapped. Throws
// ERR_NOT_FOUND, ERR_IO. Does nothing on other systems than Linux.
void drop_cached(const std::string& path);

// Bytes of the file that are in the page cache; on other systems than Linux, its size.
uint64_t cached_bytes(const std::string& path);

// Reads every byte of the mapped file in order with `threads` threads, and returns the sum of its
// 64-bit words: the baseline for a scan of the same bytes.
uint64_t read_mapped(const std::string& path, size_t threads);

}  // namespace corvid

#endif  // CORVID_BENCH_SYNTHETIC_PAGE_CACHE_H_
