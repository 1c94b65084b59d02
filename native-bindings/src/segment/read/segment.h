// An open segment: its files, mapped and checked, and access to rows and lists.
//
// Immutable, and shared by all threads of the process without locks. Opening checks every header,
// every length and every first row, so that no later read lies outside of a file. It does not check
// the data; verify_segment (verify.h) does, by reading every byte.
#ifndef CORVID_SEGMENT_READ_SEGMENT_H_
#define CORVID_SEGMENT_READ_SEGMENT_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "codec/format/codec.h"
#include "codec/query/query.h"
#include "io/frame.h"
#include "simd/contract.h"

namespace corvid {

struct SegmentFileSize {
  std::string name;
  uint64_t bytes;
  uint64_t resident_bytes;  // those that should stay in memory while searching
};

class Segment {
 public:
  // Segments with at most this many rows are assumed to be resident in memory.
  static constexpr uint64_t kResidentRows = 2000000;

  // Maps the files of `folder`, or returns the object that this process has open already. `known`,
  // if not null, is the segment's UUID: an open object is then found even if the folder was
  // removed. Planes above level 64 and vectors.i8 may be missing. Throws ERR_NOT_FOUND,
  // ERR_FORMAT_CORRUPT, ERR_FORMAT_TOO_NEW, ERR_FORMAT_TOO_OLD, and errors of the file system.
  static std::shared_ptr<const Segment> open(const std::string& folder,
                                             std::shared_ptr<const Codec> codec,
                                             const Uuid* known = nullptr);

  Segment(const std::string& folder, std::shared_ptr<const Codec> codec);
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  const std::string& folder() const { return folder_; }
  const Codec& codec() const { return *codec_; }
  std::shared_ptr<const Codec> shared_codec() const { return codec_; }
  Uuid uuid() const { return lists_file_->uuid(); }
  uint64_t rows() const { return head_.rows; }
  uint32_t lists() const { return head_.lists; }

  // The number of levels before the first one whose plane is missing.
  size_t usable_levels() const { return usable_levels_; }
  // Whether the plane of the codec's level `index` is present.
  bool has_plane(size_t index) const { return planes_[index] != nullptr; }
  bool has_vectors() const { return vectors_file_ != nullptr; }
  // Whether the segment was written with vectors but their file is missing.
  bool lost_vectors() const { return head_.vectors != 0 && !has_vectors(); }
  std::vector<SegmentFileSize> files() const;
  // Every file that is present.
  std::vector<const FramedFile*> framed_files() const;
  // Whether the segment is so large that part of it may not be resident in memory. Then reads of
  // single rows request them ahead (segment/read/read_ahead.h), and the operating system's
  // readahead is off for all files but plane-64 and lists.bin: it would read 128 KB around every
  // row.
  bool may_be_on_disk() const { return head_.rows > kResidentRows; }
  // Precondition: has_plane(index).
  const FramedFile& plane_file(size_t index) const { return *planes_[index]; }
  const FramedFile& rows_file() const { return *rows_file_; }
  // Precondition: has_vectors().
  const FramedFile& vectors_file() const { return *vectors_file_; }
  size_t id_bytes() const { return head_.id_bytes; }
  const std::string& rows_path() const { return rows_file_->path(); }
  const std::string& plane_64_path() const { return planes_[0]->path(); }

  // List l holds rows [list_first(l), list_first(l + 1)); list <= lists().
  uint64_t list_first(uint32_t list) const { return first_rows_[list]; }
  // The list of a row; row < rows().
  uint32_t list_of(uint64_t row) const;

  // The data of plane-64, in blocks of kBlockRows rows (simd/contract.h).
  const uint8_t* plane_64() const { return plane_data_[0]; }
  // Copies a row's record in plane-64 to out[0], out[stride], ...: kPlane64Bytes bytes.
  void copy_record_64(uint64_t row, uint8_t* out, size_t stride) const {
    const uint8_t* lane = plane_64() + row / kBlockRows * kBlockBytes + row % kBlockRows;
    for (size_t b = 0; b < kPlane64Bytes; ++b) out[b * stride] = lane[b * kBlockRows];
  }
  // The record of a row at a usable level above 64, by the level's index.
  const uint8_t* record_of(uint64_t row, size_t index) const {
    return plane_data_[index] + row * plane_stride_bytes(codec_->level_bits(index));
  }
  // The records of a row at all usable levels; that of level 64 is copied to `first_record`.
  RowCode code_of(uint64_t row, uint8_t first_record[kPlane64Bytes]) const;
  // Precondition: has_vectors().
  const int8_t* vector_of(uint64_t row) const {
    return reinterpret_cast<const int8_t*>(vectors_file_->data()) + row * vector_bytes_;
  }
  uint64_t id_of(uint64_t row) const {
    uint64_t id = 0;
    std::memcpy(&id, ids_ + row * head_.id_bytes, head_.id_bytes == 4 ? 4 : 8);
    return id;
  }

  // Advises the operating system to read the rows of `list` for a scan, if may_be_on_disk().
  void read_ahead_list(uint32_t list) const;

 private:
  void read_head();
  std::unique_ptr<FramedFile> open_plane(uint32_t level) const;
  std::unique_ptr<FramedFile> open_part(const char* name, FileKind kind, uint32_t level,
                                        uint32_t stride_bytes, uint64_t data_bytes) const;
  void check_head() const;
  void check_first_rows() const;

  std::string folder_;
  std::shared_ptr<const Codec> codec_;
  SegmentHead head_;
  std::unique_ptr<FramedFile> lists_file_;
  std::unique_ptr<FramedFile> rows_file_;
  std::unique_ptr<FramedFile> vectors_file_;         // null if missing
  std::unique_ptr<FramedFile> planes_[kLevelCount];  // by index of the level; null if missing
  const uint64_t* first_rows_ = nullptr;             // size lists + 1
  const uint8_t* plane_data_[kLevelCount] = {};      // data of planes_
  const uint8_t* ids_ = nullptr;                     // data of rows_file_
  size_t usable_levels_ = 0;
  size_t vector_bytes_;  // of one vector
};

}  // namespace corvid

#endif  // CORVID_SEGMENT_READ_SEGMENT_H_
