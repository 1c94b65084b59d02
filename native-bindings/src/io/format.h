// The layout of corvid's binary files: headers, limits, names. FORMAT.md describes the same layout,
// and a test compares the two. The layout inside a codec file is in codec/format/layout.h.
//
// All files share one frame: a header of 64 bytes, the data, and a footer with one checksum for
// each MiB of data. All numbers are little-endian. Structs are read and written as they are in
// memory; they have no padding, which the asserts below check. A change to a struct, or to the
// meaning of a byte, must raise kVersionCurrent, and also kVersionStart if old files become
// unreadable.
#ifndef CORVID_IO_FORMAT_H_
#define CORVID_IO_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "corvid maps its little-endian files without conversion; this machine is big-endian"
#endif

namespace corvid {

// The oldest and the newest format version that this build reads.
constexpr uint16_t kVersionStart = 1;
constexpr uint16_t kVersionCurrent = 1;

// Some tools stop printing at byte 0x1a; the line feed reveals a file that was converted as text.
constexpr uint8_t kMagic[8] = {'C', 'O', 'R', 'V', 'I', 'D', 0x1a, '\n'};

// What a file holds.
enum class FileKind : uint16_t {
  kCodec = 1,     // codec-NNNNNN.bin; layout: codec/format/layout.h
  kLists = 2,     // SegmentHead, then the first row of every list
  kPlane = 3,     // codes of one level: level 64 in blocks of 32 rows, other levels row by row
  kRows = 4,      // item id of every row
  kVectors = 5,   // int8 vector of every row
  kProgress = 6,  // checkpoint of a segment writer, never part of an index; write_progress.cc
};

struct FileHeader {
  uint8_t magic[8];       // kMagic
  uint16_t version;       // kVersionStart..kVersionCurrent
  uint16_t kind;          // FileKind
  uint32_t level;         // the plane's level in bits; 0 for other kinds
  uint64_t rows;          // records in the data; in lists.bin the number of lists
  uint32_t stride_bytes;  // bytes of one record
  uint32_t reserved;      // 0
  uint8_t uuid[16];       // of the segment or codec that the file belongs to
  uint64_t data_bytes;    // bytes between header and footer
  uint32_t reserved_2;    // 0
  uint32_t crc32c;        // of the preceding 60 bytes
};

constexpr size_t kHeaderBytes = 64;
static_assert(sizeof(FileHeader) == kHeaderBytes, "the header is 64 bytes");
static_assert(std::is_trivially_copyable_v<FileHeader>);
static_assert(offsetof(FileHeader, version) == 8);
static_assert(offsetof(FileHeader, kind) == 10);
static_assert(offsetof(FileHeader, level) == 12);
static_assert(offsetof(FileHeader, rows) == 16);
static_assert(offsetof(FileHeader, stride_bytes) == 24);
static_assert(offsetof(FileHeader, reserved) == 28);
static_assert(offsetof(FileHeader, uuid) == 32);
static_assert(offsetof(FileHeader, data_bytes) == 48);
static_assert(offsetof(FileHeader, reserved_2) == 56);
static_assert(offsetof(FileHeader, crc32c) == 60);

// The footer: the CRC32C of each block of data (the last block may be short), then the CRC32C of
// these checksums. It directly follows the data, so it may be unaligned.
constexpr size_t kChecksumBlockBytes = size_t{1} << 20;
constexpr size_t kChecksumBytes = 4;

constexpr uint64_t checksum_blocks(uint64_t data_bytes) {
  return data_bytes / kChecksumBlockBytes + (data_bytes % kChecksumBlockBytes != 0);
}
constexpr uint64_t footer_bytes(uint64_t data_bytes) {
  return (checksum_blocks(data_bytes) + 1) * kChecksumBytes;
}
// Size of a whole file. `data_bytes` must be at most kMaxDataBytes.
constexpr uint64_t file_bytes(uint64_t data_bytes) {
  return kHeaderBytes + data_bytes + footer_bytes(data_bytes);
}

// Limits that a reader checks before it computes with a file's numbers.
constexpr uint64_t kMaxDataBytes = uint64_t{1} << 50;
constexpr uint64_t kMaxRows = uint64_t{1} << 40;
constexpr uint32_t kMaxLists = uint32_t{1} << 24;
constexpr uint32_t kMaxDims = 16384;
constexpr uint64_t kMaxItemId = (uint64_t{1} << 53) - 1;  // JavaScript's largest safe integer

// lists.bin: this head, then lists + 1 numbers of 8 bytes: the first row of every list in ascending
// order, and `rows`. Rows are numbered from 0 within the segment.
struct SegmentHead {
  uint8_t codec_uuid[16];  // of the codec that encoded the rows
  uint64_t rows;
  uint32_t lists;
  uint32_t levels;       // sum of the levels in bits: 64 + 128 + 256 + 512 at most
  uint32_t vectors;      // 1 if the segment was written with vectors.i8, else 0
  uint32_t id_bytes;     // 4 or 8: width of an id in rows.bin
  uint8_t reserved[24];  // 0
};

constexpr size_t kSegmentHeadBytes = 64;
static_assert(sizeof(SegmentHead) == kSegmentHeadBytes);
static_assert(std::is_trivially_copyable_v<SegmentHead>);
static_assert(offsetof(SegmentHead, rows) == 16);
static_assert(offsetof(SegmentHead, lists) == 24);
static_assert(offsetof(SegmentHead, levels) == 28);
static_assert(offsetof(SegmentHead, vectors) == 32);
static_assert(offsetof(SegmentHead, id_bytes) == 36);
static_assert(offsetof(SegmentHead, reserved) == 40);

// The levels of the code, in bits. The plane of a residual level holds only the bits that it adds
// to the level before: 64 (plane-128), 128 (plane-256), 256 (plane-512).
constexpr uint32_t kLevels[] = {64, 128, 256, 512};
constexpr size_t kLevelCount = sizeof(kLevels) / sizeof(kLevels[0]);

// Bytes of one row in a plane: the code bits that the level adds, a norm byte above level 64, and
// in plane-128 also a gain byte.
constexpr uint32_t plane_stride_bytes(uint32_t level) {
  return level == 64 ? 8 : level / 2 / 8 + (level == 128 ? 2 : 1);
}
static_assert(plane_stride_bytes(128) == 10 && plane_stride_bytes(256) == 17 &&
              plane_stride_bytes(512) == 33);

// Bytes of data of plane-64: whole blocks of 32 rows, with zeros in the lanes past the last row.
constexpr uint64_t plane_64_data_bytes(uint64_t rows) { return (rows + 31) / 32 * 256; }

// File names in a segment's folder.
constexpr char kListsName[] = "lists.bin";
constexpr char kRowsName[] = "rows.bin";
constexpr char kVectorsName[] = "vectors.i8";
constexpr const char* plane_name(uint32_t level) {
  return level == 64    ? "plane-64.bin"
         : level == 128 ? "plane-128.bin"
         : level == 256 ? "plane-256.bin"
                        : "plane-512.bin";
}

}  // namespace corvid

#endif  // CORVID_IO_FORMAT_H_
