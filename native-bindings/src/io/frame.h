// Writing and opening files in corvid's frame (format.h): header, data, checksums.
//
// A FileWriter makes a file that is either complete or unreadable: it writes the header last, so
// what a killed writer leaves is never taken for a file. A FramedFile has a valid header, and is
// exactly as long as the header says, so reading within data() stays inside the file. Only verify()
// checks the data's checksums, since that reads every byte. The meaning of the data is not checked
// here: the caller must check every number before it uses it.
#ifndef CORVID_IO_FRAME_H_
#define CORVID_IO_FRAME_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/format.h"

namespace corvid {

class Error;
class MappedFile;
class SystemFile;

using Uuid = std::array<uint8_t, 16>;

// To and from 8-4-4-4-12 hexadecimal digits. parse_uuid throws ERR_USAGE for other text.
Uuid parse_uuid(const std::string& text);
std::string format_uuid(const Uuid& uuid);
Uuid uuid_of(const uint8_t bytes[16]);

// ERR_FORMAT_CORRUPT with path and hint; the caller may add expected and actual.
Error corrupt_file(const std::string& path, const std::string& what);

// What a header says beside the sizes.
struct FileIdentity {
  FileKind kind;
  uint32_t level;         // 0 unless kind is kPlane
  uint32_t stride_bytes;  // of one record
  Uuid uuid;
};

// Writes one file front to back. Not thread-safe. Every method throws with the path:
// ERR_DISK_FULL when the disk or a quota is full, ERR_PERMISSION, ERR_IO.
class FileWriter {
 public:
  // Creates `path`, or truncates the file there. Data is written in blocks of 1 MiB.
  FileWriter(std::string path, const FileIdentity& identity);

  // A checkpoint, from which another writer can continue.
  struct State {
    uint64_t data_bytes = 0;
    std::vector<uint32_t> checksums;  // of the complete blocks of kChecksumBlockBytes
  };
  // Continues a file from `state`, and cuts off what was written later. Throws ERR_FORMAT_CORRUPT
  // if the file is shorter than that.
  FileWriter(std::string path, const FileIdentity& identity, State state);
  // Writes the buffer and fsyncs: everything written so far survives a power cut.
  State pause();

  // A file that was not finished has no header, so it cannot be opened.
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(const void* data, size_t bytes);
  // Bytes of data written so far.
  uint64_t data_bytes() const { return data_bytes_; }
  const std::string& path() const { return path_; }

  // Writes the buffer, the footer and the header with `rows` records; fsyncs and closes.
  void finish(uint64_t rows);

 private:
  void flush_block();
  size_t whole_blocks_bytes() const { return checksums_.size() * kChecksumBlockBytes; }

  std::string path_;
  FileIdentity identity_;
  std::unique_ptr<SystemFile> file_;
  uint64_t data_bytes_ = 0;
  size_t buffered_bytes_ = 0;
  std::unique_ptr<uint8_t[]> buffer_;  // kChecksumBlockBytes
  std::vector<uint32_t> checksums_;
};

// A framed file, mapped read-only. Immutable, so threads share it without locks.
class FramedFile {
 public:
  // Throws ERR_NOT_FOUND, ERR_PERMISSION, ERR_IO, ERR_FORMAT_TOO_NEW, ERR_FORMAT_TOO_OLD;
  // ERR_FORMAT_CORRUPT for a file that is too short for a header, lacks the magic number, fails the
  // header's checksum, is of another kind, or is not as long as its header says.
  FramedFile(const std::string& path, FileKind kind);
  // The same for a file of any kind.
  explicit FramedFile(const std::string& path);
  ~FramedFile();
  FramedFile(const FramedFile&) = delete;
  FramedFile& operator=(const FramedFile&) = delete;

  const std::string& path() const { return path_; }
  const FileHeader& header() const { return header_; }  // a copy, checked
  Uuid uuid() const { return uuid_of(header_.uuid); }
  const uint8_t* data() const;  // data_bytes() bytes, 64-byte aligned
  uint64_t data_bytes() const { return header_.data_bytes; }
  uint64_t file_bytes() const { return corvid::file_bytes(header_.data_bytes); }

  // Advises the operating system of random access, so that it reads no neighbouring pages.
  void advise_random() const;
  // Advises it to start reading [offset, offset + bytes) of the data.
  void prefetch(uint64_t offset, uint64_t bytes) const;

  // Reads all data and compares every checksum. Throws ERR_FORMAT_CORRUPT with the offset.
  void verify() const;

 private:
  std::string path_;
  FileHeader header_;
  std::unique_ptr<MappedFile> map_;
};

}  // namespace corvid

#endif  // CORVID_IO_FRAME_H_
