// An exclusive advisory lock on a file, between processes and within one process.
#ifndef CORVID_IO_FILE_LOCK_H_
#define CORVID_IO_FILE_LOCK_H_

#include <cstdint>
#include <memory>
#include <string>

namespace corvid {

// Held while this object lives; the operating system releases it when the process dies.
class FileLock {
 public:
  // Locks the file at `path`, which is created if absent. Null if it is locked already.
  // Throws ERR_NOT_FOUND (no such folder), ERR_PERMISSION, ERR_IO.
  static std::unique_ptr<FileLock> try_lock(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(intptr_t handle) : handle_(handle) {}
  intptr_t handle_;  // file descriptor, or HANDLE on Windows
};

}  // namespace corvid

#endif  // CORVID_IO_FILE_LOCK_H_
