// Rows that are not in list order yet, partitioned into buckets (ranges of lists). They stay in
// memory while they fit, and are spilled to disk otherwise.
//
// A bucket keeps its rows in the order in which they were added, in chunks of columns. A row in a
// spill file takes two bytes more than in the segment, so the disk never holds much more than the
// finished segment. Checkpoints survive the process; everything read back is checked. It does not
// sort: segment_writer.h does. Not thread-safe.
#ifndef CORVID_SEGMENT_WRITE_SPILL_H_
#define CORVID_SEGMENT_WRITE_SPILL_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "segment/shape.h"

namespace corvid {

class Error;
class SystemFile;

// Some rows of one bucket, column by column. Ids take 4 bytes, or 8 if one needs it.
class SpillChunk {
 public:
  SpillChunk(uint32_t capacity, uint32_t id_bytes, size_t code_bytes, size_t vector_bytes);

  uint32_t rows() const { return rows_; }
  bool full() const { return rows_ == capacity_; }
  uint32_t id_bytes() const { return id_bytes_; }
  size_t size_bytes() const { return memory_.size(); }

  // `list` is relative to the first list of the bucket. Precondition: not full, and the id fits.
  void add(uint16_t list, uint64_t id, const uint8_t* code, const int8_t* vector);

  uint16_t list(uint32_t row) const;
  uint64_t id(uint32_t row) const;
  const uint8_t* code(uint32_t row) const { return codes() + row * code_bytes_; }
  const int8_t* vector(uint32_t row) const {
    return reinterpret_cast<const int8_t*>(memory_.data()) + vectors_offset_ + row * vector_bytes_;
  }

  // A chunk of the rows whose list is within `lists`; `chunk` itself if all of them are.
  static std::shared_ptr<const SpillChunk> only(ListRange lists,
                                                const std::shared_ptr<const SpillChunk>& chunk);

  // @returns bytes written
  uint64_t write(SystemFile& file) const;
  // Reads the chunk at the file's current position. Throws ERR_FORMAT_CORRUPT.
  static std::shared_ptr<SpillChunk> read(SystemFile& file, size_t code_bytes, size_t vector_bytes,
                                          const std::string& path);

 private:
  // A copy whose capacity is its number of rows.
  std::shared_ptr<SpillChunk> packed() const;
  const uint8_t* codes() const { return memory_.data() + codes_offset_; }

  uint32_t capacity_;
  uint32_t rows_ = 0;
  uint32_t id_bytes_;
  size_t code_bytes_;
  size_t vector_bytes_;
  size_t ids_offset_, codes_offset_, vectors_offset_;  // of the columns; that of lists is 0
  std::vector<uint8_t> memory_;
};

class Spill {
 public:
  // What a bucket's file held at a checkpoint.
  struct BucketState {
    uint64_t bytes = 0;
    uint64_t chunks = 0;
  };
  using Visit = std::function<void(std::shared_ptr<const SpillChunk>)>;

  // Creates `folder` for the files. `memory_bytes`: bound of the chunks while rows are added.
  // `buckets` is raised if needed, so that no bucket has more than 65,536 lists.
  Spill(std::string folder, const SegmentShape& shape, uint32_t buckets, uint64_t memory_bytes);
  // Continues with the files of an earlier Spill, which dropped its first `dropped` buckets. Cuts
  // off what was written after `states`. Throws ERR_FORMAT_CORRUPT if a file is shorter.
  Spill(std::string folder, const SegmentShape& shape, const std::vector<BucketState>& states,
        uint32_t dropped, uint64_t memory_bytes);
  ~Spill();
  Spill(const Spill&) = delete;
  Spill& operator=(const Spill&) = delete;

  // Precondition: list < shape.lists, id <= kMaxItemId.
  void add(uint32_t list, uint64_t id, const uint8_t* code, const int8_t* vector);

  // Whether the chunks exceed their memory: then call flush or checkpoint.
  bool full() const { return used_bytes_ > memory_bytes_; }
  bool has_files() const;
  // Writes all chunks to the files.
  void flush();
  // The same, and fsyncs: all rows added so far survive a power cut.
  std::vector<BucketState> checkpoint();

  uint32_t buckets() const { return static_cast<uint32_t>(buckets_.size()); }
  ListRange bucket_lists(uint32_t bucket) const {
    return {first_lists_[bucket], first_lists_[bucket + 1]};
  }

  // Visits a bucket's chunks in the order in which they were added.
  void read(uint32_t bucket, const Visit& visit);
  // The error for a bucket that does not hold the rows that were added.
  Error disagrees(uint32_t bucket) const;
  // Frees a bucket, in memory and on disk.
  void drop(uint32_t bucket);
  // Frees everything, and removes the folder.
  void remove();

 private:
  struct Bucket {
    std::vector<std::shared_ptr<SpillChunk>> chunks;
    std::unique_ptr<SystemFile> file;
    BucketState in_file;
  };

  std::string file_path(uint32_t bucket) const;
  SpillChunk& open_chunk(Bucket& bucket, uint64_t id);
  void flush(uint32_t bucket);

  std::string folder_;
  uint32_t lists_;
  size_t code_bytes_;
  size_t vector_bytes_;
  uint64_t memory_bytes_;
  uint64_t used_bytes_ = 0;
  uint32_t chunk_rows_;
  std::vector<Bucket> buckets_;
  std::vector<uint32_t> first_lists_;  // of each bucket, then shape.lists
};

}  // namespace corvid

#endif  // CORVID_SEGMENT_WRITE_SPILL_H_
