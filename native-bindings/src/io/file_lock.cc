// flock() rather than fcntl(): its locks belong to the open file description. They exclude a second
// holder in the same process, and closing another descriptor of the file does not release them.
#include "io/file_lock.h"

#include <cerrno>

#include "base/error.h"

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <fcntl.h>
#include <io.h>
#include <sys/stat.h>
#include <windows.h>

#include "io/wide_path.h"
#else
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#endif

namespace corvid {

#ifdef _WIN32

std::unique_ptr<FileLock> FileLock::try_lock(const std::string& path) {
  const int descriptor =
      _wopen(wide_path(path).c_str(), _O_RDWR | _O_CREAT | _O_NOINHERIT, _S_IREAD | _S_IWRITE);
  if (descriptor < 0) throw system_error(errno, path, "opening the lock");
  OVERLAPPED region = {};
  const HANDLE file = reinterpret_cast<HANDLE>(_get_osfhandle(descriptor));
  if (!LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &region)) {
    const DWORD code = GetLastError();
    _close(descriptor);
    if (code == ERROR_LOCK_VIOLATION || code == ERROR_IO_PENDING) return nullptr;
    throw system_error(EIO, path, "locking");
  }
  return std::unique_ptr<FileLock>(new FileLock(descriptor));
}

FileLock::~FileLock() { _close(static_cast<int>(handle_)); }

#else

std::unique_ptr<FileLock> FileLock::try_lock(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) throw system_error(errno, path, "opening the lock");
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int code = errno;
    close(descriptor);
    if (code == EWOULDBLOCK) return nullptr;
    throw system_error(code, path, "locking");
  }
  return std::unique_ptr<FileLock>(new FileLock(descriptor));
}

FileLock::~FileLock() { close(static_cast<int>(handle_)); }

#endif

}  // namespace corvid
