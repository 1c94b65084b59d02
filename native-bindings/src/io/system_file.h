// A file being written, by the operating system's own calls; unbuffered.
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
  // Opens `path` for reading and writing, made if absent, emptied if not.
  static std::unique_ptr<SystemFile> create(const std::string& path);
  // Opens a file that is there, for reading and writing, at its first byte.
  static std::unique_ptr<SystemFile> open(const std::string& path);
  ~SystemFile();
  SystemFile(const SystemFile&) = delete;
  SystemFile& operator=(const SystemFile&) = delete;

  // Writes all of it at the current position.
  void write(const void* data, size_t bytes);
  // Reads up to `bytes` at the current position; fewer only at the end of the file.
  size_t read(void* data, size_t bytes);
  // The next byte read or written is that at `offset`.
  void seek(uint64_t offset);
  uint64_t size_bytes();
  // Cuts off what lies beyond `bytes`. Precondition: the file has at least so many.
  void truncate(uint64_t bytes);
  // Returns when everything written is on the disk.
  void sync();

 private:
  SystemFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  std::string path_;
  int descriptor_;
};

// Makes a folder, which must not exist; the one above must.
void make_folder(const std::string& path);
bool file_exists(const std::string& path);
// Gives a file another name; one that has it is replaced, at no moment by nothing.
void rename_file(const std::string& from, const std::string& to);
// Removes a file; one that is not there is no error.
void remove_file(const std::string& path);
// Removes an empty folder; one that is not there is no error.
void remove_folder(const std::string& path);
// Removes a folder with all that is in it.
void remove_tree(const std::string& path);
// Returns when names made in the folder will last.
void sync_folder(const std::string& path);

}  // namespace corvid

#endif  // CORVID_IO_SYSTEM_FILE_H_
