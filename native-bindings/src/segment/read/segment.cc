// Opening a segment: maps its files and checks them against each other and the codec.
#include "segment/read/segment.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/registry.h"

namespace corvid {
namespace {

std::string number(uint64_t value) { return std::to_string(value); }

// The result of `open`, or null if there is no such file.
template <typename Open>
std::unique_ptr<FramedFile> unless_missing(const Open& open) {
  try {
    return open();
  } catch (const Error& error) {
    if (error.code() == "ERR_NOT_FOUND") return nullptr;
    throw;
  }
}

}  // namespace

std::shared_ptr<const Segment> Segment::open(const std::string& folder,
                                             std::shared_ptr<const Codec> codec,
                                             const Uuid* known) {
  // Never destroyed: worker threads may still run when static objects are destroyed.
  static auto* const segments = new Registry<std::pair<std::string, Uuid>, const Segment>;
  if (known != nullptr) {
    if (auto segment = segments->find({folder, *known})) return segment;
  }
  // A folder may be replaced while the old files are still mapped, so the key includes the UUID.
  const Uuid uuid = FramedFile(folder + "/" + kListsName, FileKind::kLists).uuid();
  return segments->open({folder, uuid},
                        [&] { return std::make_shared<const Segment>(folder, std::move(codec)); });
}

Segment::Segment(const std::string& folder, std::shared_ptr<const Codec> codec)
    : folder_(folder),
      codec_(std::move(codec)),
      lists_file_(std::make_unique<FramedFile>(folder + "/" + kListsName, FileKind::kLists)),
      vector_bytes_(codec_->dims()) {
  read_head();
  check_head();
  check_first_rows();
  rows_file_ =
      open_part(kRowsName, FileKind::kRows, 0, head_.id_bytes, head_.rows * head_.id_bytes);
  ids_ = rows_file_->data();
  bool none_missing = true;
  for (size_t i = 0; i < codec_->level_count(); ++i) {
    const uint32_t level = codec_->level_bits(i);
    planes_[i] = i == 0 ? open_plane(level) : unless_missing([&] { return open_plane(level); });
    none_missing = none_missing && planes_[i] != nullptr;
    if (planes_[i] != nullptr) plane_data_[i] = planes_[i]->data();
    if (none_missing) usable_levels_ = i + 1;
  }
  if (head_.vectors != 0) {
    vectors_file_ = unless_missing([&] {
      return open_part(kVectorsName, FileKind::kVectors, 0, static_cast<uint32_t>(vector_bytes_),
                       head_.rows * vector_bytes_);
    });
  }
  if (!may_be_on_disk()) return;
  for (const FramedFile* file : framed_files()) {
    if (file != lists_file_.get() && file != planes_[0].get()) file->advise_random();
  }
}

void Segment::read_head() {
  const uint64_t lists = lists_file_->header().rows;
  if (lists > kMaxLists ||
      lists_file_->data_bytes() != kSegmentHeadBytes + (lists + 1) * sizeof(uint64_t)) {
    throw corrupt_file(lists_file_->path(), "the size does not match the number of lists")
        .expected(number(codec_->lists()) + " lists")
        .actual(number(lists) + " lists in " + number(lists_file_->data_bytes()) + " bytes");
  }
  std::memcpy(&head_, lists_file_->data(), sizeof(head_));
  first_rows_ = reinterpret_cast<const uint64_t*>(lists_file_->data() + kSegmentHeadBytes);
}

void Segment::check_head() const {
  const std::string& path = lists_file_->path();
  if (uuid_of(head_.codec_uuid) != codec_->uuid()) {
    throw corrupt_file(path, "the segment was made with another codec")
        .expected("codec " + format_uuid(codec_->uuid()))
        .actual("codec " + format_uuid(uuid_of(head_.codec_uuid)));
  }
  if (head_.lists != codec_->lists() || head_.lists != lists_file_->header().rows) {
    throw corrupt_file(path, "the number of lists differs from the codec's")
        .expected(number(codec_->lists()))
        .actual(number(head_.lists));
  }
  uint32_t codec_levels = 0;
  for (size_t i = 0; i < codec_->level_count(); ++i) codec_levels |= codec_->level_bits(i);
  if (head_.levels != codec_levels) {
    throw corrupt_file(path, "the levels differ from the codec's")
        .expected("sum of levels " + number(codec_levels))
        .actual(number(head_.levels));
  }
  if (head_.rows > kMaxRows || (head_.id_bytes != 4 && head_.id_bytes != 8) || head_.vectors > 1) {
    throw corrupt_file(path, "the segment head holds impossible values");
  }
}

void Segment::check_first_rows() const {
  const uint64_t* end = first_rows_ + head_.lists + 1;
  if (first_rows_[0] == 0 && end[-1] == head_.rows && std::is_sorted(first_rows_, end)) return;
  throw corrupt_file(lists_file_->path(),
                     "the first rows of the lists do not ascend to the number of rows")
      .expected("0 to " + number(head_.rows))
      .actual(number(first_rows_[0]) + " to " + number(end[-1]));
}

std::unique_ptr<FramedFile> Segment::open_plane(uint32_t level) const {
  const uint32_t stride_bytes = plane_stride_bytes(level);
  const uint64_t data_bytes =
      level == 64 ? plane_64_data_bytes(head_.rows) : head_.rows * stride_bytes;
  return open_part(plane_name(level), FileKind::kPlane, level, stride_bytes, data_bytes);
}

std::unique_ptr<FramedFile> Segment::open_part(const char* name, FileKind kind, uint32_t level,
                                               uint32_t stride_bytes, uint64_t data_bytes) const {
  auto file = std::make_unique<FramedFile>(folder_ + "/" + name, kind);
  const FileHeader& header = file->header();
  if (file->uuid() != lists_file_->uuid()) {
    throw corrupt_file(file->path(), "the file belongs to another segment")
        .expected("segment " + format_uuid(lists_file_->uuid()))
        .actual("segment " + format_uuid(file->uuid()));
  }
  if (header.rows != head_.rows || header.level != level || header.stride_bytes != stride_bytes ||
      header.data_bytes != data_bytes) {
    throw corrupt_file(file->path(), "the file does not match its segment")
        .expected(number(head_.rows) + " rows of " + number(stride_bytes) + " bytes")
        .actual(number(header.rows) + " rows of " + number(header.stride_bytes) + " bytes, " +
                number(header.data_bytes) + " bytes in total");
  }
  return file;
}

std::vector<const FramedFile*> Segment::framed_files() const {
  std::vector<const FramedFile*> files{lists_file_.get()};
  for (const auto& plane : planes_) files.push_back(plane.get());
  files.push_back(rows_file_.get());
  files.push_back(vectors_file_.get());
  files.erase(std::remove(files.begin(), files.end(), nullptr), files.end());
  return files;
}

std::vector<SegmentFileSize> Segment::files() const {
  std::vector<SegmentFileSize> sizes;
  for (const FramedFile* file : framed_files()) {
    const bool resident = file == lists_file_.get() || file == planes_[0].get();
    sizes.push_back({file->path().substr(folder_.size() + 1), file->file_bytes(),
                     resident ? file->data_bytes() : 0});
  }
  return sizes;
}

uint32_t Segment::list_of(uint64_t row) const {
  // An empty list has the same first row as the next: the last list that starts at or before `row`
  // holds it.
  const uint64_t* end = first_rows_ + head_.lists + 1;
  return static_cast<uint32_t>(std::upper_bound(first_rows_, end, row) - first_rows_ - 1);
}

RowCode Segment::code_of(uint64_t row, uint8_t first_record[kPlane64Bytes]) const {
  copy_record_64(row, first_record, 1);
  RowCode code{};
  code.records[0] = first_record;
  for (size_t i = 1; i < usable_levels_; ++i) code.records[i] = record_of(row, i);
  return code;
}

void Segment::read_ahead_list(uint32_t list) const {
  if (!may_be_on_disk()) return;
  const uint64_t first_block = list_first(list) / kBlockRows;
  const uint64_t last_block = (list_first(list + 1) + kBlockRows - 1) / kBlockRows;
  planes_[0]->prefetch(first_block * kBlockBytes, (last_block - first_block) * kBlockBytes);
}

}  // namespace corvid
