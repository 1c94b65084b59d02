// The file calls of POSIX and of the Windows C runtime, under common names.
#include "io/system_file.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/error.h"

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#include <share.h>
#include <sys/stat.h>

#include <windows.h>
#include "io/wide_path.h"
#else
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace corvid {
namespace {

// Bytes of one read or write call at most: some systems refuse 2 GiB and more.
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
int open_old(const std::string& path) {
  int descriptor = -1;
  _wsopen_s(&descriptor, wide_path(path).c_str(), _O_RDWR | _O_BINARY | _O_NOINHERIT, _SH_DENYNO,
            _S_IREAD | _S_IWRITE);
  return descriptor;
}
int64_t seek_to(int descriptor, uint64_t offset) {
  return _lseeki64(descriptor, static_cast<int64_t>(offset), SEEK_SET);
}
int64_t seek_end(int descriptor) { return _lseeki64(descriptor, 0, SEEK_END); }
int cut(int descriptor, uint64_t bytes) {
  return _chsize_s(descriptor, static_cast<int64_t>(bytes)) == 0 ? 0 : -1;
}
bool is_there(const std::string& path) { return _waccess(wide_path(path).c_str(), 0) == 0; }
int give_name(const std::string& from, const std::string& to) {
  if (MoveFileExW(wide_path(from).c_str(), wide_path(to).c_str(),
                  MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
    return 0;
  }
  errno = GetLastError() == ERROR_FILE_NOT_FOUND ? ENOENT : EACCES;
  return -1;
}
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
int open_old(const std::string& path) { return open(path.c_str(), O_RDWR | O_CLOEXEC); }
int64_t seek_to(int descriptor, uint64_t offset) {
  return lseek(descriptor, static_cast<off_t>(offset), SEEK_SET);
}
int64_t seek_end(int descriptor) { return lseek(descriptor, 0, SEEK_END); }
int cut(int descriptor, uint64_t bytes) { return ftruncate(descriptor, static_cast<off_t>(bytes)); }
bool is_there(const std::string& path) { return access(path.c_str(), F_OK) == 0; }
int give_name(const std::string& from, const std::string& to) {
  return rename(from.c_str(), to.c_str());
}
int sync_descriptor(int descriptor) { return fsync(descriptor); }
void close_descriptor(int descriptor) { close(descriptor); }
int make(const std::string& path) { return mkdir(path.c_str(), 0777); }
int remove_name(const std::string& path) { return unlink(path.c_str()); }
int remove_empty(const std::string& path) { return rmdir(path.c_str()); }

#endif

}  // namespace

std::unique_ptr<SystemFile> SystemFile::create(const std::string& path) {
  const int descriptor = open_new(path);
  if (descriptor < 0) throw system_error(errno, path, "creating the file");
  return std::unique_ptr<SystemFile>(new SystemFile(path, descriptor));
}

std::unique_ptr<SystemFile> SystemFile::open(const std::string& path) {
  const int descriptor = open_old(path);
  if (descriptor < 0) throw system_error(errno, path, "opening");
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

void SystemFile::seek(uint64_t offset) {
  if (seek_to(descriptor_, offset) < 0) throw system_error(errno, path_, "seeking");
}

uint64_t SystemFile::size_bytes() {
  const int64_t end = seek_end(descriptor_);
  if (end < 0) throw system_error(errno, path_, "seeking");
  return static_cast<uint64_t>(end);
}

void SystemFile::truncate(uint64_t bytes) {
  if (cut(descriptor_, bytes) != 0) throw system_error(errno, path_, "truncating");
}

void SystemFile::sync() {
  if (sync_descriptor(descriptor_) != 0) throw system_error(errno, path_, "syncing");
}

void make_folder(const std::string& path) {
  if (make(path) != 0) throw system_error(errno, path, "creating the folder");
}

bool file_exists(const std::string& path) { return is_there(path); }

void rename_file(const std::string& from, const std::string& to) {
  if (give_name(from, to) != 0) throw system_error(errno, to, "renaming");
}

void remove_file(const std::string& path) {
  if (remove_name(path) != 0 && errno != ENOENT) throw system_error(errno, path, "removing");
}

void remove_folder(const std::string& path) {
  if (remove_empty(path) != 0 && errno != ENOENT) throw system_error(errno, path, "removing");
}

void remove_tree(const std::string& path) {
  std::error_code failure;
  std::filesystem::remove_all(std::filesystem::u8path(path), failure);
  if (failure) throw system_error(failure.value(), path, "removing");
}

void sync_folder(const std::string& path) {
#ifdef _WIN32
  // NTFS journals changes to folders; there is no call to sync one.
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
