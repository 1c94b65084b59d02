// Files mapped read-only.
#ifndef CORVID_IO_MAPPED_FILE_H_
#define CORVID_IO_MAPPED_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace corvid {

// A file in memory for as long as this object lives. Its length is what the file had when it was
// mapped: reading past it, or after another process has shortened the file, is the caller's fault,
// so check lengths against headers first, and never shorten a published file.
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

  // Advice to the operating system; without effect where it takes none.
  void advise(Access access) const;
  // Starts reading [offset, offset + bytes) in the background, as far as it lies in the file.
  void prefetch(size_t offset, size_t bytes) const;

 private:
  const uint8_t* data_ = nullptr;
  size_t size_bytes_ = 0;
};

}  // namespace corvid

#endif  // CORVID_IO_MAPPED_FILE_H_
