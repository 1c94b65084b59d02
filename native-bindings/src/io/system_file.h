// A file being written, and operations on names in folders: direct system calls without buffering,
// with errors as exceptions.
#ifndef CORVID_IO_SYSTEM_FILE_H_
#define CORVID_IO_SYSTEM_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace corvid {

// Not thread-safe. Methods throw with the path: ERR_DISK_FULL when the disk or a quota is full,
// ERR_NOT_FOUND (no such folder), ERR_PERMISSION, ERR_IO.
class SystemFile {
 public:
  // Opens `path` for reading and writing; creates it if absent, else truncates it.
  static std::unique_ptr<SystemFile> create(const std::string& path);
  // Opens an existing file for reading and writing, positioned at its first byte.
  static std::unique_ptr<SystemFile> open(const std::string& path);
  ~SystemFile();
  SystemFile(const SystemFile&) = delete;
  SystemFile& operator=(const SystemFile&) = delete;

  // Writes all bytes at the current position.
  void write(const void* data, size_t bytes);
  // Reads up to `bytes` at the current position; fewer only at the end of the file.
  size_t read(void* data, size_t bytes);
  // Moves the position to `offset`.
  void seek(uint64_t offset);
  uint64_t size_bytes();
  // Shortens the file to `bytes`. Precondition: it is at least that long.
  void truncate(uint64_t bytes);
  // Fsyncs: returns when everything written is on the disk.
  void sync();

 private:
  SystemFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  std::string path_;
  int descriptor_;
};

// Creates a folder, which must not exist; its parent must.
void make_folder(const std::string& path);
bool file_exists(const std::string& path);
// Renames a file; atomically replaces any file of the new name.
void rename_file(const std::string& from, const std::string& to);
// Removes a file, if it exists.
void remove_file(const std::string& path);
// Removes an empty folder, if it exists.
void remove_folder(const std::string& path);
// Removes a folder and everything in it.
void remove_tree(const std::string& path);
// Fsyncs a folder: names created in it survive a power cut.
void sync_folder(const std::string& path);

}  // namespace corvid

#endif  // CORVID_IO_SYSTEM_FILE_H_
