// Writing and checking framed files.
#include "io/frame.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "io/crc32c.h"
#include "io/mapped_file.h"
#include "io/system_file.h"

namespace corvid {
namespace {

std::string format_number(uint64_t number) { return std::to_string(number); }

std::string format_hex(uint32_t number) {
  char text[11];
  std::snprintf(text, sizeof(text), "0x%08" PRIx32, number);
  return text;
}

const char* kind_name(uint16_t kind) {
  switch (static_cast<FileKind>(kind)) {
    case FileKind::kCodec:
      return "a codec";
    case FileKind::kLists:
      return "the lists of a segment";
    case FileKind::kPlane:
      return "a plane of codes";
    case FileKind::kRows:
      return "the item ids of a segment";
    case FileKind::kVectors:
      return "the vectors of a segment";
    case FileKind::kProgress:
      return "the progress of a build";
  }
  return "a file of unknown kind";
}

void check_version(const FileHeader& header, const std::string& path) {
  if (header.version >= kVersionStart && header.version <= kVersionCurrent) return;
  const bool too_new = header.version > kVersionCurrent;
  throw Error(too_new ? "ERR_FORMAT_TOO_NEW" : "ERR_FORMAT_TOO_OLD",
              too_new ? "written by a newer corvid" : "written by an older corvid")
      .path(path)
      .expected("format " + format_number(kVersionStart) + " to " + format_number(kVersionCurrent))
      .actual("format " + format_number(header.version))
      .hint(too_new ? "upgrade corvid" : "build the index again with this corvid");
}

// Checks what does not depend on the kind of file. The magic number and the version come before the
// checksum, because a newer version may store its checksum elsewhere.
void check_header(const FileHeader& header, const std::string& path) {
  if (std::memcmp(header.magic, kMagic, sizeof(kMagic)) != 0) {
    throw corrupt_file(path, "this is not a corvid file: it does not begin with CORVID");
  }
  check_version(header, path);
  const uint32_t checksum = crc32c(&header, offsetof(FileHeader, crc32c));
  if (checksum != header.crc32c) {
    throw corrupt_file(path, "the header fails its checksum")
        .expected(format_hex(header.crc32c))
        .actual(format_hex(checksum));
  }
  if (header.data_bytes > kMaxDataBytes || header.reserved != 0 || header.reserved_2 != 0) {
    throw corrupt_file(path, "the header holds impossible values");
  }
}

}  // namespace

Error corrupt_file(const std::string& path, const std::string& what) {
  return Error("ERR_FORMAT_CORRUPT", what)
      .path(path)
      .hint("restore the index from a copy, or build it again");
}

Uuid parse_uuid(const std::string& text) {
  Uuid uuid{};
  size_t digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash_place = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash_place != (c == '-')) break;
    if (dash_place) continue;
    const int value = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (value < 0 || digits == 32) break;
    uuid[digits / 2] = static_cast<uint8_t>(uuid[digits / 2] << 4 | value);
    ++digits;
  }
  if (digits != 32 || text.size() != 36) {
    throw Error("ERR_USAGE", "not a UUID").actual(text).expected("8-4-4-4-12 hexadecimal digits");
  }
  return uuid;
}

std::string format_uuid(const Uuid& uuid) {
  std::string text;
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", uuid[i]);
    text += digits;
  }
  return text;
}

Uuid uuid_of(const uint8_t bytes[16]) {
  Uuid uuid;
  std::copy(bytes, bytes + uuid.size(), uuid.begin());
  return uuid;
}

FileWriter::FileWriter(std::string path, const FileIdentity& identity)
    : path_(std::move(path)),
      identity_(identity),
      file_(SystemFile::create(path_)),
      buffer_(new uint8_t[kChecksumBlockBytes]) {
  const FileHeader blank{};
  file_->write(&blank, sizeof(blank));
}

FileWriter::FileWriter(std::string path, const FileIdentity& identity, State state)
    : path_(std::move(path)),
      identity_(identity),
      file_(SystemFile::open(path_)),
      data_bytes_(state.data_bytes),
      buffer_(new uint8_t[kChecksumBlockBytes]),
      checksums_(std::move(state.checksums)) {
  const uint64_t size_bytes = file_->size_bytes();
  if (size_bytes < kHeaderBytes + data_bytes_ || whole_blocks_bytes() > data_bytes_ ||
      data_bytes_ - whole_blocks_bytes() >= kChecksumBlockBytes) {
    throw corrupt_file(path_,
                       "a file of an unfinished build is shorter than at its last checkpoint")
        .expected("at least " + format_number(kHeaderBytes + data_bytes_) + " bytes")
        .actual(format_number(size_bytes) + " bytes");
  }
  buffered_bytes_ = data_bytes_ - whole_blocks_bytes();
  file_->truncate(kHeaderBytes + data_bytes_);
  file_->seek(kHeaderBytes + whole_blocks_bytes());
  if (file_->read(buffer_.get(), buffered_bytes_) != buffered_bytes_) {
    throw corrupt_file(path_, "a file of an unfinished build cannot be read to its end");
  }
  file_->seek(kHeaderBytes + whole_blocks_bytes());
}

FileWriter::~FileWriter() = default;

FileWriter::State FileWriter::pause() {
  // The last, incomplete block is written again when it is complete, and gets its checksum then.
  file_->write(buffer_.get(), buffered_bytes_);
  file_->sync();
  file_->seek(kHeaderBytes + whole_blocks_bytes());
  return {data_bytes_, checksums_};
}

void FileWriter::write(const void* data, size_t bytes) {
  const uint8_t* from = static_cast<const uint8_t*>(data);
  data_bytes_ += bytes;
  while (bytes > 0) {
    const size_t part = std::min(bytes, kChecksumBlockBytes - buffered_bytes_);
    std::memcpy(buffer_.get() + buffered_bytes_, from, part);
    buffered_bytes_ += part;
    from += part;
    bytes -= part;
    if (buffered_bytes_ == kChecksumBlockBytes) flush_block();
  }
}

void FileWriter::flush_block() {
  checksums_.push_back(crc32c(buffer_.get(), buffered_bytes_));
  file_->write(buffer_.get(), buffered_bytes_);
  buffered_bytes_ = 0;
}

void FileWriter::finish(uint64_t rows) {
  if (buffered_bytes_ > 0) flush_block();
  const size_t footer_data_bytes = checksums_.size() * kChecksumBytes;
  checksums_.push_back(crc32c(checksums_.data(), footer_data_bytes));
  file_->write(checksums_.data(), checksums_.size() * kChecksumBytes);

  FileHeader header{};
  std::copy(std::begin(kMagic), std::end(kMagic), header.magic);
  header.version = kVersionCurrent;
  header.kind = static_cast<uint16_t>(identity_.kind);
  header.level = identity_.level;
  header.rows = rows;
  header.stride_bytes = identity_.stride_bytes;
  std::copy(identity_.uuid.begin(), identity_.uuid.end(), header.uuid);
  header.data_bytes = data_bytes_;
  header.crc32c = crc32c(&header, offsetof(FileHeader, crc32c));
  file_->seek(0);
  file_->write(&header, sizeof(header));
  file_->sync();
  file_.reset();
  buffer_.reset();
}

FramedFile::FramedFile(const std::string& path, FileKind kind) : FramedFile(path) {
  if (header_.kind == static_cast<uint16_t>(kind)) return;
  throw corrupt_file(path, "the file is of another kind")
      .expected(kind_name(static_cast<uint16_t>(kind)))
      .actual(kind_name(header_.kind));
}

FramedFile::FramedFile(const std::string& path)
    : path_(path), map_(std::make_unique<MappedFile>(path)) {
  const uint64_t size_bytes = map_->size_bytes();
  if (size_bytes < corvid::file_bytes(0)) {
    throw corrupt_file(path, "the file is too short for a header")
        .expected("at least " + format_number(corvid::file_bytes(0)) + " bytes")
        .actual(format_number(size_bytes) + " bytes");
  }
  std::memcpy(&header_, map_->data(), sizeof(header_));
  check_header(header_, path);
  if (size_bytes != file_bytes()) {
    throw corrupt_file(path,
                       size_bytes < file_bytes() ? "the file is cut short" : "the file is too long")
        .expected(format_number(file_bytes()) + " bytes")
        .actual(format_number(size_bytes) + " bytes");
  }
}

FramedFile::~FramedFile() = default;

const uint8_t* FramedFile::data() const { return map_->data() + kHeaderBytes; }

void FramedFile::advise_random() const { map_->advise(MappedFile::Access::kRandom); }

void FramedFile::prefetch(uint64_t offset, uint64_t bytes) const {
  map_->prefetch(kHeaderBytes + offset, bytes);
}

void FramedFile::verify() const {
  map_->advise(MappedFile::Access::kSequential);
  const uint64_t blocks = checksum_blocks(data_bytes());
  const uint8_t* footer = data() + data_bytes();
  const auto checksum_at = [footer](uint64_t block) {
    uint32_t checksum;
    std::memcpy(&checksum, footer + block * kChecksumBytes, sizeof(checksum));
    return checksum;
  };
  if (crc32c(footer, blocks * kChecksumBytes) != checksum_at(blocks)) {
    throw corrupt_file(path_, "the footer fails its checksum");
  }
  for (uint64_t block = 0; block < blocks; ++block) {
    const uint64_t start = block * kChecksumBlockBytes;
    const uint64_t bytes = std::min<uint64_t>(kChecksumBlockBytes, data_bytes() - start);
    const uint32_t checksum = crc32c(data() + start, bytes);
    if (checksum == checksum_at(block)) continue;
    throw corrupt_file(path_, "the data fail their checksum in the " + format_number(bytes) +
                                  " bytes at offset " + format_number(kHeaderBytes + start))
        .expected(format_hex(checksum_at(block)))
        .actual(format_hex(checksum));
  }
}

}  // namespace corvid
