// The files of a segment being written, fed row by row in list order.
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
  // Opens all files in `folder`, which exists. `id_bytes`: 4, or 8 if any id needs it.
  SegmentFiles(std::string folder, const SegmentShape& shape, uint32_t id_bytes);

  // How far the files have come, for others to go on with.
  struct State {
    uint64_t rows = 0;
    std::array<uint8_t, kBlockBytes> block{};  // of plane-64, as far as it was filled
    std::vector<FileWriter::State> files;      // planes, ids, vectors
  };
  // Goes on with files that were left at `state`. Throws ERR_FORMAT_CORRUPT.
  SegmentFiles(std::string folder, const SegmentShape& shape, uint32_t id_bytes,
               const State& state);
  // Fsyncs all that was added so far.
  State pause();

  // The next row. code: shape.code_bytes(); vector: shape.vector_bytes.
  void add(uint64_t id, const uint8_t* code, const int8_t* vector);

  // Writes lists.bin and what is buffered, and fsyncs all files and the folder. `list_rows`: rows
  // of every list; their sum is the number of rows added.
  void finish(const std::vector<uint64_t>& list_rows);

  // Rows of the segment in `folder` if it was finished and is the one of that number.
  static std::optional<uint64_t> finished_rows(const std::string& folder, const Uuid& uuid);
  // Removes all files that a segment may have in `folder`.
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
  std::unique_ptr<FileWriter> vectors_;       // null without
  std::array<uint8_t, kBlockBytes> block_{};  // of plane-64, transposed
};

}  // namespace corvid

#endif  // CORVID_SEGMENT_WRITE_SEGMENT_FILES_H_
