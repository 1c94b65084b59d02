#include "io/mapped_file.h"

#include <algorithm>
#include <cerrno>

#include "base/error.h"

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#include "io/wide_path.h"
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace corvid {

#ifdef _WIN32

namespace {

int errno_of_windows(DWORD code) {
  switch (code) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
      return ENOENT;
    case ERROR_ACCESS_DENIED:
    case ERROR_SHARING_VIOLATION:
      return EACCES;
    case ERROR_NOT_ENOUGH_MEMORY:
      return ENOMEM;
    default:
      return EIO;
  }
}

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  const HANDLE file = CreateFileW(wide_path(path).c_str(), GENERIC_READ,
                                  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                                  OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) {
    throw system_error(errno_of_windows(GetLastError()), path, "opening");
  }
  LARGE_INTEGER size;
  if (!GetFileSizeEx(file, &size)) {
    const DWORD code = GetLastError();
    CloseHandle(file);
    throw system_error(errno_of_windows(code), path, "reading the size");
  }
  size_bytes_ = static_cast<size_t>(size.QuadPart);
  if (size_bytes_ > 0) {
    const HANDLE mapping = CreateFileMappingW(file, nullptr, PAGE_READONLY, 0, 0, nullptr);
    if (mapping != nullptr) {
      data_ = static_cast<const uint8_t*>(MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0));
    }
    const DWORD code = GetLastError();
    if (mapping != nullptr) CloseHandle(mapping);
    if (data_ == nullptr) {
      CloseHandle(file);
      throw system_error(errno_of_windows(code), path, "mapping");
    }
  }
  CloseHandle(file);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) UnmapViewOfFile(data_);
}

void MappedFile::advise(Access) const {}

void MappedFile::prefetch(size_t offset, size_t bytes) const {
  if (offset >= size_bytes_) return;
  WIN32_MEMORY_RANGE_ENTRY range;
  range.VirtualAddress = const_cast<uint8_t*>(data_ + offset);
  range.NumberOfBytes = std::min(bytes, size_bytes_ - offset);
  PrefetchVirtualMemory(GetCurrentProcess(), 1, &range, 0);
}

#else

MappedFile::MappedFile(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw system_error(errno, path, "opening");
  struct stat status;
  if (fstat(descriptor, &status) != 0) {
    const int code = errno;
    close(descriptor);
    throw system_error(code, path, "reading the size");
  }
  if (!S_ISREG(status.st_mode)) {
    close(descriptor);
    throw Error("ERR_IO", "not a regular file").path(path).hint("check the path");
  }
  size_bytes_ = static_cast<size_t>(status.st_size);
  if (size_bytes_ > 0) {
    void* mapped = mmap(nullptr, size_bytes_, PROT_READ, MAP_SHARED, descriptor, 0);
    const int code = errno;
    close(descriptor);
    if (mapped == MAP_FAILED) throw system_error(code, path, "mapping");
    data_ = static_cast<const uint8_t*>(mapped);
  } else {
    close(descriptor);
  }
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<uint8_t*>(data_), size_bytes_);
}

void MappedFile::advise(Access access) const {
  if (data_ == nullptr) return;
  const int advice = access == Access::kSequential ? MADV_SEQUENTIAL
                     : access == Access::kRandom   ? MADV_RANDOM
                                                   : MADV_NORMAL;
  madvise(const_cast<uint8_t*>(data_), size_bytes_, advice);
}

void MappedFile::prefetch(size_t offset, size_t bytes) const {
  if (data_ == nullptr || offset >= size_bytes_) return;
  const size_t page_bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t start = offset / page_bytes * page_bytes;
  const size_t end = std::min(size_bytes_, offset + std::min(bytes, size_bytes_ - offset));
  madvise(const_cast<uint8_t*>(data_ + start), end - start, MADV_WILLNEED);
}

#endif

}  // namespace corvid
