// Chunks of rows in memory and in spill files, with a checksum for each chunk.
#include "segment/write/spill.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "io/crc32c.h"
#include "io/system_file.h"

namespace corvid {
namespace {

// Lists of one bucket at most: a list's number within its bucket takes two bytes.
constexpr uint32_t kBucketLists = 65536;

// Size of a chunk. Large chunks make large writes.
constexpr uint64_t kMinChunkBytes = 16 << 10;
constexpr uint64_t kMaxChunkBytes = 1 << 20;

struct ChunkHead {
  uint32_t rows;
  uint32_t id_bytes;
  uint32_t crc32c;  // of all columns
};

Error damaged(const std::string& path) {
  return Error("ERR_FORMAT_CORRUPT", "a file of an unfinished build was damaged or changed")
      .path(path)
      .hint("remove the folder that holds it, and run the same command again");
}

}  // namespace

SpillChunk::SpillChunk(uint32_t capacity, uint32_t id_bytes, size_t code_bytes, size_t vector_bytes)
    : capacity_(capacity),
      id_bytes_(id_bytes),
      code_bytes_(code_bytes),
      vector_bytes_(vector_bytes),
      ids_offset_(size_t{capacity} * sizeof(uint16_t)),
      codes_offset_(ids_offset_ + size_t{capacity} * id_bytes),
      vectors_offset_(codes_offset_ + capacity * code_bytes),
      memory_(vectors_offset_ + capacity * vector_bytes) {}

void SpillChunk::add(uint16_t list, uint64_t id, const uint8_t* code, const int8_t* vector) {
  uint8_t* memory = memory_.data();
  std::memcpy(memory + rows_ * sizeof(list), &list, sizeof(list));
  std::memcpy(memory + ids_offset_ + rows_ * size_t{id_bytes_}, &id, id_bytes_);
  std::memcpy(memory + codes_offset_ + rows_ * code_bytes_, code, code_bytes_);
  if (vector_bytes_ > 0) {
    std::memcpy(memory + vectors_offset_ + rows_ * vector_bytes_, vector, vector_bytes_);
  }
  ++rows_;
}

uint16_t SpillChunk::list(uint32_t row) const {
  uint16_t list;
  std::memcpy(&list, memory_.data() + row * sizeof(list), sizeof(list));
  return list;
}

uint64_t SpillChunk::id(uint32_t row) const {
  uint64_t id = 0;
  std::memcpy(&id, memory_.data() + ids_offset_ + row * size_t{id_bytes_}, id_bytes_);
  return id;
}

std::shared_ptr<const SpillChunk> SpillChunk::only(ListRange lists,
                                                   const std::shared_ptr<const SpillChunk>& chunk) {
  const auto within = [&](uint32_t row) {
    return chunk->list(row) >= lists.first && chunk->list(row) < lists.last;
  };
  uint32_t count = 0;
  for (uint32_t row = 0; row < chunk->rows_; ++row) count += within(row);
  if (count == chunk->rows_) return chunk;
  auto kept = std::make_shared<SpillChunk>(count, chunk->id_bytes_, chunk->code_bytes_,
                                           chunk->vector_bytes_);
  for (uint32_t row = 0; row < chunk->rows_; ++row) {
    if (within(row))
      kept->add(chunk->list(row), chunk->id(row), chunk->code(row), chunk->vector(row));
  }
  return kept;
}

uint64_t SpillChunk::write(SystemFile& file) const {
  if (rows_ < capacity_) return packed()->write(file);
  const ChunkHead head{rows_, id_bytes_, crc32c(memory_.data(), memory_.size())};
  file.write(&head, sizeof(head));
  file.write(memory_.data(), memory_.size());
  return sizeof(head) + memory_.size();
}

std::shared_ptr<SpillChunk> SpillChunk::packed() const {
  auto chunk = std::make_shared<SpillChunk>(rows_, id_bytes_, code_bytes_, vector_bytes_);
  for (uint32_t row = 0; row < rows_; ++row) chunk->add(list(row), id(row), code(row), vector(row));
  return chunk;
}

std::shared_ptr<SpillChunk> SpillChunk::read(SystemFile& file, size_t code_bytes,
                                             size_t vector_bytes, const std::string& path) {
  ChunkHead head{};
  if (file.read(&head, sizeof(head)) != sizeof(head)) throw damaged(path);
  if (head.rows > kMaxChunkBytes || (head.id_bytes != 4 && head.id_bytes != 8)) {
    throw damaged(path);
  }
  auto chunk = std::make_shared<SpillChunk>(head.rows, head.id_bytes, code_bytes, vector_bytes);
  const size_t bytes = chunk->memory_.size();
  if (file.read(chunk->memory_.data(), bytes) != bytes) throw damaged(path);
  if (crc32c(chunk->memory_.data(), bytes) != head.crc32c) throw damaged(path);
  chunk->rows_ = head.rows;
  return chunk;
}

Spill::Spill(std::string folder, const SegmentShape& shape, uint32_t buckets, uint64_t memory_bytes)
    : folder_(std::move(folder)),
      lists_(shape.lists),
      code_bytes_(shape.code_bytes()),
      vector_bytes_(shape.vector_bytes),
      memory_bytes_(memory_bytes),
      buckets_(std::max(buckets, (shape.lists + kBucketLists - 1) / kBucketLists)) {
  const uint64_t chunk_bytes =
      std::clamp(memory_bytes / 2 / buckets_.size(), kMinChunkBytes, kMaxChunkBytes);
  const uint64_t row_bytes = sizeof(uint16_t) + sizeof(uint64_t) + code_bytes_ + vector_bytes_;
  chunk_rows_ = static_cast<uint32_t>(std::max<uint64_t>(chunk_bytes / row_bytes, 1));
  // The inverse of the division in add(): the first list of each bucket.
  for (uint64_t b = 0; b <= buckets_.size(); ++b) {
    first_lists_.push_back(
        static_cast<uint32_t>((b * lists_ + buckets_.size() - 1) / buckets_.size()));
  }
  if (!file_exists(folder_)) make_folder(folder_);
}

Spill::Spill(std::string folder, const SegmentShape& shape, const std::vector<BucketState>& states,
             uint32_t dropped, uint64_t memory_bytes)
    : Spill(std::move(folder), shape, static_cast<uint32_t>(states.size()), memory_bytes) {
  if (states.size() != buckets_.size()) throw damaged(folder_);
  for (uint32_t number = 0; number < buckets(); ++number) {
    const BucketState& state = states.at(number);
    if (number < dropped || state.bytes == 0) {
      remove_file(file_path(number));
      continue;
    }
    Bucket& bucket = buckets_[number];
    bucket.file = SystemFile::open(file_path(number));
    if (bucket.file->size_bytes() < state.bytes) throw damaged(file_path(number));
    bucket.file->truncate(state.bytes);
    bucket.file->seek(state.bytes);
    bucket.in_file = state;
  }
}

Spill::~Spill() = default;

void Spill::add(uint32_t list, uint64_t id, const uint8_t* code, const int8_t* vector) {
  const auto bucket = static_cast<uint32_t>(uint64_t{list} * buckets_.size() / lists_);
  const auto list_in_bucket = static_cast<uint16_t>(list - first_lists_[bucket]);
  open_chunk(buckets_[bucket], id).add(list_in_bucket, id, code, vector);
}

SpillChunk& Spill::open_chunk(Bucket& bucket, uint64_t id) {
  const uint32_t id_bytes = id > UINT32_MAX ? 8 : 4;
  if (!bucket.chunks.empty()) {
    SpillChunk& last = *bucket.chunks.back();
    if (!last.full() && last.id_bytes() >= id_bytes) return last;
  }
  bucket.chunks.push_back(
      std::make_shared<SpillChunk>(chunk_rows_, id_bytes, code_bytes_, vector_bytes_));
  used_bytes_ += bucket.chunks.back()->size_bytes();
  return *bucket.chunks.back();
}

void Spill::flush(uint32_t number) {
  Bucket& bucket = buckets_[number];
  if (bucket.chunks.empty()) return;
  if (bucket.file == nullptr) bucket.file = SystemFile::create(file_path(number));
  for (const auto& chunk : bucket.chunks) bucket.in_file.bytes += chunk->write(*bucket.file);
  bucket.in_file.chunks += bucket.chunks.size();
  bucket.chunks.clear();
}

void Spill::flush() {
  for (uint32_t number = 0; number < buckets(); ++number) flush(number);
  used_bytes_ = 0;
}

std::vector<Spill::BucketState> Spill::checkpoint() {
  flush();
  std::vector<BucketState> states;
  for (const Bucket& bucket : buckets_) {
    if (bucket.file != nullptr) bucket.file->sync();
    states.push_back(bucket.in_file);
  }
  sync_folder(folder_);
  return states;
}

bool Spill::has_files() const {
  return std::any_of(buckets_.begin(), buckets_.end(),
                     [](const Bucket& bucket) { return bucket.file != nullptr; });
}

void Spill::read(uint32_t number, const Visit& visit) {
  Bucket& bucket = buckets_[number];
  if (bucket.file != nullptr) {
    bucket.file->seek(0);
    for (uint64_t i = 0; i < bucket.in_file.chunks; ++i) {
      visit(SpillChunk::read(*bucket.file, code_bytes_, vector_bytes_, file_path(number)));
    }
  }
  for (const auto& chunk : bucket.chunks) visit(chunk);
}

Error Spill::disagrees(uint32_t bucket) const { return damaged(file_path(bucket)); }

void Spill::drop(uint32_t number) {
  Bucket& bucket = buckets_[number];
  const bool has_file = bucket.file != nullptr;
  bucket = Bucket();
  if (has_file) remove_file(file_path(number));
}

void Spill::remove() {
  for (uint32_t number = 0; number < buckets_.size(); ++number) drop(number);
  remove_folder(folder_);
}

std::string Spill::file_path(uint32_t bucket) const {
  return folder_ + "/bucket-" + std::to_string(bucket);
}

}  // namespace corvid
