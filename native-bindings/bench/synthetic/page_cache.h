// What the operating system keeps of a file in memory: for benches that start cold, and that must
// know which process a page is charged to.
#ifndef CORVID_BENCH_SYNTHETIC_PAGE_CACHE_H_
#define CORVID_BENCH_SYNTHETIC_PAGE_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace corvid {

// Writes the file's changes to the disk and asks for its pages to be dropped; those that a process
// has mapped stay. Throws ERR_NOT_FOUND, ERR_IO. Without effect where the system cannot do it.
void drop_cached(const std::string& path);

// Bytes of the file that are in memory, or its size where the system does not tell.
uint64_t cached_bytes(const std::string& path);

// Reads every byte of the mapped file with `threads` threads, in order, and returns their sum as
// 64-bit words: the plain read that a scan of the same bytes is measured against.
uint64_t read_mapped(const std::string& path, size_t threads);

}  // namespace corvid

#endif  // CORVID_BENCH_SYNTHETIC_PAGE_CACHE_H_
