// Writes the planes, ids and vectors of a segment as rows arrive, and lists.bin last.
#include "segment/write/segment_files.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "io/system_file.h"

namespace corvid {

SegmentFiles::SegmentFiles(std::string folder, const SegmentShape& shape, uint32_t id_bytes)
    : folder_(std::move(folder)), shape_(shape), id_bytes_(id_bytes) {
  open(nullptr);
}

SegmentFiles::SegmentFiles(std::string folder, const SegmentShape& shape, uint32_t id_bytes,
                           const State& state)
    : folder_(std::move(folder)),
      shape_(shape),
      id_bytes_(id_bytes),
      rows_(state.rows),
      block_(state.block) {
  open(&state.files);
}

void SegmentFiles::open(const std::vector<FileWriter::State>* states) {
  size_t number = 0;
  const auto open = [&](const char* name, FileKind kind, uint32_t level, uint32_t stride) {
    const std::string path = folder_ + "/" + name;
    const FileIdentity identity{kind, level, stride, shape_.uuid};
    if (states == nullptr) return std::make_unique<FileWriter>(path, identity);
    return std::make_unique<FileWriter>(path, identity, states->at(number++));
  };
  for (const uint32_t level : shape_.levels) {
    planes_.push_back(open(plane_name(level), FileKind::kPlane, level, plane_stride_bytes(level)));
  }
  ids_ = open(kRowsName, FileKind::kRows, 0, id_bytes_);
  if (shape_.vector_bytes > 0) {
    vectors_ = open(kVectorsName, FileKind::kVectors, 0, shape_.vector_bytes);
  }
}

std::vector<FileWriter*> SegmentFiles::writers() const {
  std::vector<FileWriter*> all;
  for (const auto& plane : planes_) all.push_back(plane.get());
  all.push_back(ids_.get());
  if (vectors_ != nullptr) all.push_back(vectors_.get());
  return all;
}

SegmentFiles::State SegmentFiles::pause() {
  State state;
  state.rows = rows_;
  state.block = block_;
  for (FileWriter* writer : writers()) state.files.push_back(writer->pause());
  sync_folder(folder_);
  return state;
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
  planes_[0]->write(block_.data(), block_.size());
  block_.fill(0);
}

void SegmentFiles::finish(const std::vector<uint64_t>& list_rows) {
  if (rows_ % kBlockRows != 0) flush_block();
  for (FileWriter* writer : writers()) writer->finish(rows_);
  // Last, so that a folder with a valid lists.bin is a complete segment.
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

std::optional<uint64_t> SegmentFiles::finished_rows(const std::string& folder, const Uuid& uuid) {
  const std::string path = folder + "/" + kListsName;
  if (!file_exists(path)) return std::nullopt;
  try {
    const FramedFile lists(path, FileKind::kLists);
    SegmentHead head{};
    if (lists.uuid() != uuid || lists.data_bytes() < sizeof(head)) return std::nullopt;
    std::memcpy(&head, lists.data(), sizeof(head));
    return head.rows;
  } catch (const Error& error) {
    // lists.bin is written last, and its header after its data: the writer was killed meanwhile.
    if (error.code() == "ERR_FORMAT_CORRUPT") return std::nullopt;
    throw;
  }
}

void SegmentFiles::remove(const std::string& folder) {
  for (const char* name : {kListsName, kRowsName, kVectorsName}) remove_file(folder + "/" + name);
  for (const uint32_t level : kLevels) remove_file(folder + "/" + plane_name(level));
}

}  // namespace corvid
