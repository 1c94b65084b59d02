// File calls of POSIX and of Windows' C runtime.
#include "system_file.h"

#include <cerrno>

#include "error.h"

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#include <sys/stat.h>

#include "wide_path.h"
#else
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace corvid {
namespace {

// One call moves at most this much: some systems refuse 2 GiB and more.
constexpr size_t kCallBytes = size_t{1} << 30;

#ifdef _WIN32

int open_new(const std::string& path) {
  return _wopen(wide_path(path).c_str(), _O_RDWR | _O_CREAT | _O_TRUNC | _O_BINARY | _O_NOINHERIT,
                _S_IREAD | _S_IWRITE);
}
int write_some(int descriptor, const void* data, size_t bytes) {
  return _write(descriptor, data, static_cast<unsigned>(bytes));
}
int read_some(int descriptor, void* data, size_t bytes) {
  return _read(descriptor, data, static_cast<unsigned>(bytes));
}
int64_t seek_start(int descriptor) { return _lseeki64(descriptor, 0, SEEK_SET); }
int sync_descriptor(int descriptor) { return _commit(descriptor); }
void close_descriptor(int descriptor) { _close(descriptor); }
int make(const std::string& path) { return _wmkdir(wide_path(path).c_str()); }
int remove_name(const std::string& path) { return _wunlink(wide_path(path).c_str()); }
int remove_empty(const std::string& path) { return _wrmdir(wide_path(path).c_str()); }

#else

int open_new(const std::string& path) {
  return open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}
ssize_t write_some(int descriptor, const void* data, size_t bytes) {
  return ::write(descriptor, data, bytes);
}
ssize_t read_some(int descriptor, void* data, size_t bytes) {
  return ::read(descriptor, data, bytes);
}
int64_t seek_start(int descriptor) { return lseek(descriptor, 0, SEEK_SET); }
int sync_descriptor(int descriptor) { return fsync(descriptor); }
void close_descriptor(int descriptor) { close(descriptor); }
int make(const std::string& path) { return mkdir(path.c_str(), 0777); }
int remove_name(const std::string& path) { return unlink(path.c_str()); }
int remove_empty(const std::string& path) { return rmdir(path.c_str()); }

#endif

}  // namespace

std::unique_ptr<SystemFile> SystemFile::create(const std::string& path) {
  const int descriptor = open_new(path);
  if (descriptor < 0) throw system_error(errno, path, "making the file");
  return std::unique_ptr<SystemFile>(new SystemFile(path, descriptor));
}

SystemFile::~SystemFile() { close_descriptor(descriptor_); }

void SystemFile::write(const void* data, size_t bytes) {
  const char* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const auto written = write_some(descriptor_, from, bytes < kCallBytes ? bytes : kCallBytes);
    if (written < 0) {
      if (errno == EINTR) continue;
      throw system_error(errno, path_, "writing");
    }
    from += written;
    bytes -= static_cast<size_t>(written);
  }
}

size_t SystemFile::read(void* data, size_t bytes) {
  char* to = static_cast<char*>(data);
  size_t total = 0;
  while (total < bytes) {
    const size_t left = bytes - total;
    const auto got = read_some(descriptor_, to + total, left < kCallBytes ? left : kCallBytes);
    if (got == 0) break;
    if (got < 0) {
      if (errno == EINTR) continue;
      throw system_error(errno, path_, "reading");
    }
    total += static_cast<size_t>(got);
  }
  return total;
}

void SystemFile::rewind() {
  if (seek_start(descriptor_) < 0) throw system_error(errno, path_, "seeking");
}

void SystemFile::sync() {
  if (sync_descriptor(descriptor_) != 0) throw system_error(errno, path_, "syncing");
}

void make_folder(const std::string& path) {
  if (make(path) != 0) throw system_error(errno, path, "making the folder");
}

void remove_file(const std::string& path) {
  if (remove_name(path) != 0 && errno != ENOENT) throw system_error(errno, path, "removing");
}

void remove_folder(const std::string& path) {
  if (remove_empty(path) != 0 && errno != ENOENT) throw system_error(errno, path, "removing");
}

void sync_folder(const std::string& path) {
#ifdef _WIN32
  // NTFS journals its folders; there is no call to wait for.
  (void)path;
#else
  const int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) throw system_error(errno, path, "opening");
  const int result = fsync(descriptor);
  const int code = errno;
  close(descriptor);
  if (result != 0) throw system_error(code, path, "syncing");
#endif
}

}  // namespace corvid
