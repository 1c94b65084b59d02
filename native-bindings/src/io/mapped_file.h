// A file mapped read-only, on POSIX and Windows.
#ifndef CORVID_IO_MAPPED_FILE_H_
#define CORVID_IO_MAPPED_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace corvid {

// Mapped for as long as this object lives. size_bytes() is the length when the file was mapped: the
// caller must not read past it, so lengths must be checked against headers first. A read faults if
// the file was shortened since, so published files are never shortened.
class MappedFile {
 public:
  enum class Access { kSequential, kRandom, kNormal };

  // Throws ERR_NOT_FOUND, ERR_PERMISSION, ERR_IO. An empty file maps to no bytes.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const uint8_t* data() const { return data_; }
  size_t size_bytes() const { return size_bytes_; }

  // Advises the operating system how the file will be read. No effect on Windows.
  void advise(Access access) const;
  // Starts reading [offset, offset + bytes), clipped to the file, in the background.
  void prefetch(size_t offset, size_t bytes) const;

 private:
  const uint8_t* data_ = nullptr;
  size_t size_bytes_ = 0;
};

}  // namespace corvid

#endif  // CORVID_IO_MAPPED_FILE_H_
