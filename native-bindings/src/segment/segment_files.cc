#include "segment/segment_files.h"

#include <algorithm>
#include <cstring>

#include "system_file.h"

namespace corvid {

SegmentFiles::SegmentFiles(std::string folder, const SegmentShape& shape, uint32_t id_bytes)
    : folder_(std::move(folder)), shape_(shape), id_bytes_(id_bytes) {
  const auto open = [this](const char* name, FileKind kind, uint32_t level, uint32_t stride) {
    return std::make_unique<FileWriter>(folder_ + "/" + name,
                                        FileIdentity{kind, level, stride, shape_.uuid});
  };
  for (const uint32_t level : shape_.levels) {
    planes_.push_back(open(plane_name(level), FileKind::kPlane, level, plane_stride_bytes(level)));
  }
  ids_ = open(kRowsName, FileKind::kRows, 0, id_bytes_);
  if (shape_.vector_bytes > 0) {
    vectors_ = open(kVectorsName, FileKind::kVectors, 0, shape_.vector_bytes);
  }
}

void SegmentFiles::add(uint64_t id, const uint8_t* code, const int8_t* vector) {
  const size_t lane = rows_ % kBlockRows;
  for (size_t byte = 0; byte < kPlane64Bytes; ++byte) {
    block_[byte * kBlockRows + lane] = code[byte];
  }
  if (lane == kBlockRows - 1) flush_block();
  const uint8_t* record = code + kPlane64Bytes;
  for (size_t i = 1; i < planes_.size(); ++i) {
    const size_t stride = plane_stride_bytes(shape_.levels[i]);
    planes_[i]->write(record, stride);
    record += stride;
  }
  ids_->write(&id, id_bytes_);  // little-endian: the low bytes come first
  if (vectors_ != nullptr) vectors_->write(vector, shape_.vector_bytes);
  ++rows_;
}

void SegmentFiles::flush_block() {
  planes_[0]->write(block_, kBlockBytes);
  std::fill(std::begin(block_), std::end(block_), uint8_t{0});
}

void SegmentFiles::finish(const std::vector<uint64_t>& list_rows) {
  if (rows_ % kBlockRows != 0) flush_block();
  for (const auto& plane : planes_) plane->finish(rows_);
  ids_->finish(rows_);
  if (vectors_ != nullptr) vectors_->finish(rows_);
  // Last, so that a folder with a whole lists.bin is a whole segment.
  write_lists(list_rows);
  sync_folder(folder_);
}

void SegmentFiles::write_lists(const std::vector<uint64_t>& list_rows) {
  FileWriter lists(folder_ + "/" + kListsName,
                   {FileKind::kLists, 0, sizeof(uint64_t), shape_.uuid});
  SegmentHead head{};
  std::copy(shape_.codec_uuid.begin(), shape_.codec_uuid.end(), head.codec_uuid);
  head.rows = rows_;
  head.lists = shape_.lists;
  head.levels = shape_.level_mask();
  head.vectors = shape_.vector_bytes > 0;
  head.id_bytes = id_bytes_;
  lists.write(&head, sizeof(head));
  uint64_t first_row = 0;
  lists.write(&first_row, sizeof(first_row));
  for (const uint64_t rows : list_rows) {
    first_row += rows;
    lists.write(&first_row, sizeof(first_row));
  }
  lists.finish(shape_.lists);
}

void SegmentFiles::remove(const std::string& folder) {
  for (const char* name : {kListsName, kRowsName, kVectorsName}) remove_file(folder + "/" + name);
  for (const uint32_t level : kLevels) remove_file(folder + "/" + plane_name(level));
}

}  // namespace corvid
