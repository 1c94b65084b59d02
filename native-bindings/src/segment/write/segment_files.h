// The files of a segment while they are written, row by row in list order.
//
// It does not sort: the caller adds the rows in list order (segment_writer.h). Not thread-safe.
#ifndef CORVID_SEGMENT_WRITE_SEGMENT_FILES_H_
#define CORVID_SEGMENT_WRITE_SEGMENT_FILES_H_

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/frame.h"
#include "segment/shape.h"
#include "simd/contract.h"

namespace corvid {

class SegmentFiles {
 public:
  // Creates all files in `folder`, which must exist. `id_bytes`: 4, or 8 if any id needs it.
  SegmentFiles(std::string folder, const SegmentShape& shape, uint32_t id_bytes);

  // A checkpoint, from which another SegmentFiles can continue.
  struct State {
    uint64_t rows = 0;
    std::array<uint8_t, kBlockBytes> block{};  // the last, incomplete block of plane-64
    std::vector<FileWriter::State> files;      // planes, ids, vectors
  };
  // Continues the files from `state`. Throws ERR_FORMAT_CORRUPT if one is shorter.
  SegmentFiles(std::string folder, const SegmentShape& shape, uint32_t id_bytes,
               const State& state);
  // Fsyncs all rows added so far.
  State pause();

  // Adds the next row. code: shape.code_bytes() bytes; vector: shape.vector_bytes, or null if 0.
  void add(uint64_t id, const uint8_t* code, const int8_t* vector);

  // Completes all files, writes lists.bin, and fsyncs the files and the folder. `list_rows`: the
  // rows of every list; their sum is the number of rows added.
  void finish(const std::vector<uint64_t>& list_rows);

  // The number of rows of the segment in `folder`, if it is complete and has this UUID.
  static std::optional<uint64_t> finished_rows(const std::string& folder, const Uuid& uuid);
  // Removes every file of a segment from `folder`.
  static void remove(const std::string& folder);

 private:
  void open(const std::vector<FileWriter::State>* states);
  std::vector<FileWriter*> writers() const;
  void flush_block();
  void write_lists(const std::vector<uint64_t>& list_rows);

  std::string folder_;
  SegmentShape shape_;
  uint32_t id_bytes_;
  uint64_t rows_ = 0;
  std::vector<std::unique_ptr<FileWriter>> planes_;  // one per level
  std::unique_ptr<FileWriter> ids_;
  std::unique_ptr<FileWriter> vectors_;       // null for a segment without vectors
  std::array<uint8_t, kBlockBytes> block_{};  // the last block of plane-64, transposed
};

}  // namespace corvid

#endif  // CORVID_SEGMENT_WRITE_SEGMENT_FILES_H_
