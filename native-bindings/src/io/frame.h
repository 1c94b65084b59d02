// Writing and opening files in corvid's frame (format.h): header, data, checksums.
//
// A FileWriter makes a file that is either whole or unreadable: the header goes last, so what a
// killed writer leaves can never pass for a file. A FramedFile maps a file
// after its header has been checked and its length found to be exactly what the header says, so
// that reading within data() cannot fault. Checksums of the data are checked by verify() alone,
// since that reads every byte; whoever opens a file must still check the numbers it holds.
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

// 8-4-4-4-12 hexadecimal digits, and back. Throws ERR_USAGE for anything else.
Uuid parse_uuid(const std::string& text);
std::string format_uuid(const Uuid& uuid);
Uuid uuid_of(const uint8_t bytes[16]);

// ERR_FORMAT_CORRUPT about a file, with the remedy; the caller adds expected and actual.
Error corrupt_file(const std::string& path, const std::string& what);

// What the header says besides sizes.
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
  // Creates `path`, or empties what lies there. Data reach the disk in blocks of 1 MiB.
  FileWriter(std::string path, const FileIdentity& identity);

  // How far a file has come, for another writer to go on with.
  struct State {
    uint64_t data_bytes = 0;
    std::vector<uint32_t> checksums;  // of the whole blocks of kChecksumBlockBytes
  };
  // Goes on with a file that was left at `state`; what was written after it is cut off. Throws
  // ERR_FORMAT_CORRUPT if the file is shorter than that.
  FileWriter(std::string path, const FileIdentity& identity, State state);
  // Writes what is buffered and fsyncs, so that what was written so far will last.
  State pause();

  // Closes; a file that was not finished stays without a header, hence unreadable.
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(const void* data, size_t bytes);
  // Bytes of data written so far.
  uint64_t data_bytes() const { return data_bytes_; }
  const std::string& path() const { return path_; }

  // Writes what is buffered, the footer and the header with `rows` records, fsyncs and closes.
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

// A file of ours, mapped read-only. Immutable, hence shared by threads without locks.
class FramedFile {
 public:
  // Throws ERR_NOT_FOUND, ERR_PERMISSION, ERR_IO; ERR_FORMAT_CORRUPT for a file that is too short
  // for a header, has no magic number, fails its header's checksum, is of another kind, or is not
  // as long as its header says; ERR_FORMAT_TOO_NEW, ERR_FORMAT_TOO_OLD.
  FramedFile(const std::string& path, FileKind kind);
  // The same for a file of any kind.
  explicit FramedFile(const std::string& path);
  ~FramedFile();
  FramedFile(const FramedFile&) = delete;
  FramedFile& operator=(const FramedFile&) = delete;

  const std::string& path() const { return path_; }
  const FileHeader& header() const { return header_; }  // a copy, not mapped
  Uuid uuid() const { return uuid_of(header_.uuid); }
  const uint8_t* data() const;  // header().data_bytes of them, 64-byte aligned
  uint64_t data_bytes() const { return header_.data_bytes; }
  uint64_t file_bytes() const { return corvid::file_bytes(header_.data_bytes); }

  // Advice to the operating system: rows are read here and there.
  void advise_random() const;
  // Advice: start reading data [offset, offset + bytes).
  void prefetch(uint64_t offset, uint64_t bytes) const;

  // Reads all data and compares every checksum; throws ERR_FORMAT_CORRUPT with the offset.
  void verify() const;

 private:
  std::string path_;
  FileHeader header_;
  std::unique_ptr<MappedFile> map_;
};

}  // namespace corvid

#endif  // CORVID_IO_FRAME_H_
