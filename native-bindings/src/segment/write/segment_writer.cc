// Spills rows into buckets, sorts each bucket by list, and appends it to the segment's files.
#include "segment/write/segment_writer.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "io/system_file.h"

namespace corvid {
namespace {

// Memory for the buffers of the segment's files while rows are placed.
constexpr uint64_t kFileBuffersBytes = uint64_t{8} << 20;

// Where in memory a row of the sorted order is.
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

// A bucket is on the disk twice while it is placed. With this many buckets, that takes less than a
// twentieth more space.
constexpr uint64_t kMinBuckets = 24;

uint32_t bucket_count(const SegmentShape& shape, uint64_t rows_hint, uint64_t memory_bytes) {
  // Buckets differ in size: aim for half of what fits.
  const uint64_t fitting = rows_hint * row_bytes(shape) * 2 / place_bytes(memory_bytes) + 1;
  // Every bucket has an open chunk while rows are added.
  const uint64_t max_buckets = std::min<uint64_t>(shape.lists, memory_bytes / (uint64_t{64} << 10));
  return static_cast<uint32_t>(std::min(std::max(fitting, kMinBuckets), max_buckets));
}

}  // namespace

SegmentWriter::SegmentWriter(std::string folder, SegmentShape shape, uint64_t rows_hint,
                             uint64_t memory_bytes, bool resumable)
    : folder_(std::move(folder)),
      shape_(std::move(shape)),
      memory_bytes_(std::max(memory_bytes, kMinMemoryBytes)),
      resumable_(resumable),
      rows_hint_(rows_hint) {
  if (resumable_ && file_exists(folder_)) {
    if (resume()) return;
    remove_tree(folder_);
  }
  make_folder(folder_);
  progress_.list_rows.resize(shape_.lists);
  spill_ = std::make_unique<Spill>(
      spill_folder(), shape_, bucket_count(shape_, rows_hint, memory_bytes_), memory_bytes_ / 2);
}

bool SegmentWriter::resume() {
  std::optional<WriteProgress> progress = load_progress(folder_, shape_);
  if (progress.has_value()) {
    progress_ = std::move(*progress);
    spill_ = std::make_unique<Spill>(spill_folder(), shape_, progress_.buckets,
                                     progress_.buckets_placed, memory_bytes_ / 2);
    resumed_rows_ = progress_.rows_added;
  } else {
    const std::optional<uint64_t> rows = SegmentFiles::finished_rows(folder_, shape_.uuid);
    if (!rows.has_value()) return false;
    was_finished_ = true;
    resumed_rows_ = *rows;
  }
  rows_added_ = resumed_rows_;
  return true;
}

SegmentWriter::~SegmentWriter() = default;

void SegmentWriter::throw_if_cancelled() const {
  if (cancelled_) throw Error("ERR_ABORTED", "writing the segment was aborted").path(folder_);
}

void SegmentWriter::require_open() const {
  throw_if_cancelled();
  if (closed_ || broken_) {
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
      throw Error("ERR_USAGE", "an item id is not a safe integer >= 0").actual(std::to_string(id));
    }
  }
}

void SegmentWriter::append(const RowBatch& batch) {
  const std::lock_guard<std::mutex> hold(busy_);
  require_open();
  check(batch);
  if (was_finished_ || progress_.buckets_placed > 0) {
    throw Error("ERR_USAGE", "all rows of the segment have been added already").path(folder_);
  }
  broken_ = true;
  const size_t code_bytes = shape_.code_bytes();
  for (size_t row = 0; row < batch.rows; ++row) {
    const auto id = static_cast<uint64_t>(batch.ids[row]);
    const int8_t* vector =
        batch.vectors == nullptr ? nullptr : batch.vectors + row * shape_.vector_bytes;
    spill_->add(batch.lists[row], id, batch.codes + row * code_bytes, vector);
    ++progress_.list_rows[batch.lists[row]];
    progress_.largest_id = std::max(progress_.largest_id, id);
  }
  rows_added_ += batch.rows;
  progress_.rows_added = rows_added_;
  const bool due = spill_->full() || rows_added_ - checkpointed_rows_ >= kCheckpointRows;
  if (resumable_ && due) {
    checkpoint();
  } else if (spill_->full()) {
    spill_->flush();
  }
  broken_ = false;
}

void SegmentWriter::checkpoint() {
  progress_.buckets = spill_->checkpoint();
  save_progress(folder_, shape_.uuid, progress_);
  checkpointed_rows_ = rows_added_;
}

void SegmentWriter::finish() {
  const std::lock_guard<std::mutex> hold(busy_);
  require_open();
  placing_ = true;
  broken_ = true;
  if (!was_finished_) place();
  // Not earlier: a segment with a checkpoint counts as incomplete.
  remove_progress(folder_);
  if (spill_ != nullptr) spill_->remove();
  spill_.reset();
  rows_placed_ = rows_added_.load();
  closed_ = true;
}

void SegmentWriter::place() {
  // If some rows were spilled, spill the rest too, to free the memory for sorting.
  if (spill_->has_files()) {
    if (resumable_) {
      checkpoint();
    } else {
      spill_->flush();
    }
  }
  const uint32_t id_bytes = progress_.largest_id > UINT32_MAX ? 8 : 4;
  SegmentFiles files = progress_.buckets_placed == 0
                           ? SegmentFiles(folder_, shape_, id_bytes)
                           : SegmentFiles(folder_, shape_, id_bytes, progress_.files);
  rows_placed_ = progress_.files.rows;
  while (progress_.buckets_placed < spill_->buckets()) {
    const uint32_t bucket = progress_.buckets_placed;
    place_bucket(bucket, files);
    ++progress_.buckets_placed;
    if (resumable_ && !progress_.buckets.empty()) {
      progress_.files = files.pause();
      save_progress(folder_, shape_.uuid, progress_);
    }
    spill_->drop(bucket);
  }
  files.finish(progress_.list_rows);
}

uint64_t SegmentWriter::rows_of(ListRange lists) const {
  return std::accumulate(progress_.list_rows.begin() + lists.first,
                         progress_.list_rows.begin() + lists.last, uint64_t{0});
}

// Usually one pass over the bucket. A bucket that is larger than the memory takes several passes,
// each for as many lists as fit. A list that does not fit alone is copied without sorting.
void SegmentWriter::place_bucket(uint32_t bucket, SegmentFiles& files) {
  const uint64_t max_rows = place_bytes(memory_bytes_) / row_bytes(shape_);
  const ListRange all = spill_->bucket_lists(bucket);
  for (uint32_t first = all.first; first < all.last;) {
    uint32_t last = first + 1;
    uint64_t rows = progress_.list_rows[first];
    while (last < all.last && rows + progress_.list_rows[last] <= max_rows)
      rows += progress_.list_rows[last++];
    if (rows > max_rows) {
      place_list(bucket, first, files);
    } else if (rows > 0) {
      place_sorted(bucket, {first, last}, files);
    }
    first = last;
  }
}

void SegmentWriter::place_sorted(uint32_t bucket, ListRange lists, SegmentFiles& files) {
  // A counting sort: `next` is the position of each list's next row in `order`.
  std::vector<uint64_t> next(lists.last - lists.first);
  std::exclusive_scan(progress_.list_rows.begin() + lists.first,
                      progress_.list_rows.begin() + lists.last, next.begin(), uint64_t{0});
  std::vector<uint64_t> left(progress_.list_rows.begin() + lists.first,
                             progress_.list_rows.begin() + lists.last);
  std::vector<RowReference> order(rows_of(lists));
  std::vector<std::shared_ptr<const SpillChunk>> chunks;
  const uint32_t bucket_first = spill_->bucket_lists(bucket).first;
  const ListRange within{lists.first - bucket_first, lists.last - bucket_first};
  spill_->read(bucket, [&](const std::shared_ptr<const SpillChunk>& chunk) {
    throw_if_cancelled();
    const std::shared_ptr<const SpillChunk> kept = SpillChunk::only(within, chunk);
    for (uint32_t row = 0; row < kept->rows(); ++row) {
      const uint32_t list = kept->list(row) - within.first;
      if (left[list]-- == 0) throw spill_->disagrees(bucket);
      order[next[list]++] = {static_cast<uint32_t>(chunks.size()), row};
    }
    chunks.push_back(kept);
  });
  if (std::any_of(left.begin(), left.end(), [](uint64_t rows) { return rows > 0; })) {
    throw spill_->disagrees(bucket);
  }
  for (const RowReference& reference : order) {
    place_row(*chunks[reference.chunk], reference.row, files);
  }
}

void SegmentWriter::place_list(uint32_t bucket, uint32_t list, SegmentFiles& files) {
  const uint32_t list_in_bucket = list - spill_->bucket_lists(bucket).first;
  uint64_t rows = 0;
  spill_->read(bucket, [&](const std::shared_ptr<const SpillChunk>& chunk) {
    for (uint32_t row = 0; row < chunk->rows(); ++row) {
      if (chunk->list(row) != list_in_bucket) continue;
      place_row(*chunk, row, files);
      ++rows;
    }
  });
  if (rows != progress_.list_rows[list]) throw spill_->disagrees(bucket);
}

void SegmentWriter::place_row(const SpillChunk& chunk, uint32_t row, SegmentFiles& files) {
  // Small enough to stop soon after a cancel, large enough to cost nothing.
  constexpr uint64_t kRowsBetweenChecks = 4096;
  files.add(chunk.id(row), chunk.code(row), chunk.vector(row));
  if (++uncounted_rows_ < kRowsBetweenChecks) return;
  rows_placed_ += uncounted_rows_;
  uncounted_rows_ = 0;
  throw_if_cancelled();
}

WriterProgress SegmentWriter::progress() const {
  if (placing_) return {"place", rows_placed_, rows_added_};
  return {"spill", rows_added_, std::max<uint64_t>(rows_hint_, rows_added_)};
}

void SegmentWriter::abort() {
  cancel();
  const std::lock_guard<std::mutex> hold(busy_);
  if (closed_) return;
  closed_ = true;
  spill_.reset();
  if (was_finished_ || !progress_.buckets.empty()) return;
  remove_tree(folder_);
}

}  // namespace corvid
