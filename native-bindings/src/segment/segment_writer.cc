#include "segment/segment_writer.h"

#include <algorithm>
#include <numeric>

#include "error.h"
#include "system_file.h"

namespace corvid {
namespace {

// What the buffers of the segment's files take while rows are placed.
constexpr uint64_t kFileBuffersBytes = uint64_t{8} << 20;

// Beside a row's columns in memory, its place in the sorted order.
struct RowReference {
  uint32_t chunk;
  uint32_t row;
};

uint64_t row_bytes(const SegmentShape& shape) {
  return sizeof(RowReference) + sizeof(uint16_t) + sizeof(uint64_t) + shape.code_bytes() +
         shape.vector_bytes;
}

// Memory for the rows of one bucket while it is sorted.
uint64_t place_bytes(uint64_t memory_bytes) { return memory_bytes - kFileBuffersBytes; }

// A bucket is on the disk twice while it is placed: so many of them keep that below a twentieth.
constexpr uint64_t kLeastBuckets = 24;

uint32_t bucket_count(const SegmentShape& shape, uint64_t rows_hint, uint64_t memory_bytes) {
  // Buckets come out uneven: aim at half of what fits.
  const uint64_t wanted = rows_hint * row_bytes(shape) * 2 / place_bytes(memory_bytes) + 1;
  // Every bucket has a chunk open while rows are added.
  const uint64_t most = std::min<uint64_t>(shape.lists, memory_bytes / (uint64_t{64} << 10));
  return static_cast<uint32_t>(std::min(std::max(wanted, kLeastBuckets), most));
}

}  // namespace

SegmentWriter::SegmentWriter(std::string folder, SegmentShape shape, uint64_t rows_hint,
                             uint64_t memory_bytes)
    : folder_(std::move(folder)),
      shape_(std::move(shape)),
      memory_bytes_(std::max(memory_bytes, kLeastMemoryBytes)),
      list_rows_(shape_.lists),
      rows_hint_(rows_hint) {
  make_folder(folder_);
  spill_ =
      std::make_unique<Spill>(folder_ + "/spill", shape_,
                              bucket_count(shape_, rows_hint, memory_bytes_), memory_bytes_ / 2);
}

SegmentWriter::~SegmentWriter() = default;

void SegmentWriter::throw_if_cancelled() const {
  if (cancelled_) throw Error("ERR_ABORTED", "writing the segment was aborted").path(folder_);
}

void SegmentWriter::require_open() const {
  throw_if_cancelled();
  if (spill_ == nullptr || broken_) {
    throw Error("ERR_CLOSED", "the segment writer was closed").path(folder_);
  }
}

void SegmentWriter::check(const RowBatch& batch) const {
  for (size_t row = 0; row < batch.rows; ++row) {
    if (batch.lists[row] >= shape_.lists) {
      throw Error("ERR_USAGE", "a row's list does not exist")
          .expected("below " + std::to_string(shape_.lists))
          .actual(std::to_string(batch.lists[row]));
    }
    const double id = batch.ids[row];
    if (!(id >= 0 && id <= static_cast<double>(kMaxItemId)) ||
        id != static_cast<double>(static_cast<uint64_t>(id))) {
      throw Error("ERR_USAGE", "an item id is no safe integer from 0").actual(std::to_string(id));
    }
  }
}

void SegmentWriter::append(const RowBatch& batch) {
  const std::lock_guard<std::mutex> hold(busy_);
  require_open();
  check(batch);
  broken_ = true;
  const size_t code_bytes = shape_.code_bytes();
  for (size_t row = 0; row < batch.rows; ++row) {
    const auto id = static_cast<uint64_t>(batch.ids[row]);
    const int8_t* vector =
        batch.vectors == nullptr ? nullptr : batch.vectors + row * shape_.vector_bytes;
    spill_->add(batch.lists[row], id, batch.codes + row * code_bytes, vector);
    ++list_rows_[batch.lists[row]];
    largest_id_ = std::max(largest_id_, id);
  }
  rows_added_ += batch.rows;
  broken_ = false;
}

void SegmentWriter::finish() {
  const std::lock_guard<std::mutex> hold(busy_);
  require_open();
  placing_ = true;
  broken_ = true;
  spill_->seal();
  SegmentFiles files(folder_, shape_, largest_id_ > UINT32_MAX ? 8 : 4);
  for (uint32_t bucket = 0; bucket < spill_->buckets(); ++bucket) {
    place_bucket(bucket, files);
    spill_->drop(bucket);
  }
  spill_->remove();
  files.finish(list_rows_);
  rows_placed_ = rows_added_.load();
  spill_.reset();
}

uint64_t SegmentWriter::rows_of(ListRange lists) const {
  return std::accumulate(list_rows_.begin() + lists.first, list_rows_.begin() + lists.last,
                         uint64_t{0});
}

// Usually one pass over the bucket. One that outgrew the memory takes several, each for as many
// lists as fit; a list that does not fit by itself needs no sorting.
void SegmentWriter::place_bucket(uint32_t bucket, SegmentFiles& files) {
  const uint64_t most_rows = place_bytes(memory_bytes_) / row_bytes(shape_);
  const ListRange all = spill_->bucket_lists(bucket);
  for (uint32_t first = all.first; first < all.last;) {
    uint32_t last = first + 1;
    uint64_t rows = list_rows_[first];
    while (last < all.last && rows + list_rows_[last] <= most_rows) rows += list_rows_[last++];
    if (rows > most_rows) {
      place_list(bucket, first, files);
    } else if (rows > 0) {
      place_sorted(bucket, {first, last}, files);
    }
    first = last;
  }
}

void SegmentWriter::place_sorted(uint32_t bucket, ListRange lists, SegmentFiles& files) {
  // A counting sort: `next` is where the next row of each list goes.
  std::vector<uint64_t> next(lists.last - lists.first);
  std::exclusive_scan(list_rows_.begin() + lists.first, list_rows_.begin() + lists.last,
                      next.begin(), uint64_t{0});
  std::vector<RowReference> order(rows_of(lists));
  std::vector<std::shared_ptr<const SpillChunk>> chunks;
  const uint32_t bucket_first = spill_->bucket_lists(bucket).first;
  const ListRange wanted{lists.first - bucket_first, lists.last - bucket_first};
  spill_->read(bucket, [&](const std::shared_ptr<const SpillChunk>& chunk) {
    throw_if_cancelled();
    const std::shared_ptr<const SpillChunk> kept = SpillChunk::only(wanted, chunk);
    for (uint32_t row = 0; row < kept->rows(); ++row) {
      order[next[kept->list(row) - wanted.first]++] = {static_cast<uint32_t>(chunks.size()), row};
    }
    chunks.push_back(kept);
  });
  for (const RowReference& reference : order) {
    place_row(*chunks[reference.chunk], reference.row, files);
  }
}

void SegmentWriter::place_list(uint32_t bucket, uint32_t list, SegmentFiles& files) {
  const uint32_t wanted = list - spill_->bucket_lists(bucket).first;
  spill_->read(bucket, [&](const std::shared_ptr<const SpillChunk>& chunk) {
    for (uint32_t row = 0; row < chunk->rows(); ++row) {
      if (chunk->list(row) == wanted) place_row(*chunk, row, files);
    }
  });
}

void SegmentWriter::place_row(const SpillChunk& chunk, uint32_t row, SegmentFiles& files) {
  // Often enough to stop soon, seldom enough to cost nothing.
  constexpr uint64_t kRowsBetweenLooks = 4096;
  files.add(chunk.id(row), chunk.code(row), chunk.vector(row));
  if (++rows_in_hand_ < kRowsBetweenLooks) return;
  rows_placed_ += rows_in_hand_;
  rows_in_hand_ = 0;
  throw_if_cancelled();
}

WriterProgress SegmentWriter::progress() const {
  if (placing_) return {"place", rows_placed_, rows_added_};
  return {"spill", rows_added_, std::max<uint64_t>(rows_hint_, rows_added_)};
}

void SegmentWriter::abort() {
  cancel();
  const std::lock_guard<std::mutex> hold(busy_);
  if (spill_ != nullptr) spill_->remove();
  spill_.reset();
  SegmentFiles::remove(folder_);
  remove_folder(folder_);
}

}  // namespace corvid
