// The files of a segment being written, fed row by row in list order.
#ifndef CORVID_SEGMENT_SEGMENT_FILES_H_
#define CORVID_SEGMENT_SEGMENT_FILES_H_

#include <memory>
#include <string>
#include <vector>

#include "frame.h"
#include "kernels.h"
#include "segment/shape.h"

namespace corvid {

class SegmentFiles {
 public:
  // Opens all files in `folder`, which exists. `id_bytes`: 4, or 8 if any id needs it.
  SegmentFiles(std::string folder, const SegmentShape& shape, uint32_t id_bytes);

  // The next row. code: shape.code_bytes(); vector: shape.vector_bytes.
  void add(uint64_t id, const uint8_t* code, const int8_t* vector);

  // Writes lists.bin and what is buffered, and fsyncs all files and the folder. `list_rows`: rows
  // of every list; their sum is the number of rows added.
  void finish(const std::vector<uint64_t>& list_rows);

  // Removes all files that a segment may have in `folder`.
  static void remove(const std::string& folder);

 private:
  void flush_block();
  void write_lists(const std::vector<uint64_t>& list_rows);

  std::string folder_;
  SegmentShape shape_;
  uint32_t id_bytes_;
  uint64_t rows_ = 0;
  std::vector<std::unique_ptr<FileWriter>> planes_;  // one per level
  std::unique_ptr<FileWriter> ids_;
  std::unique_ptr<FileWriter> vectors_;  // null without
  uint8_t block_[kBlockBytes] = {};      // of plane-64, transposed
};

}  // namespace corvid

#endif  // CORVID_SEGMENT_SEGMENT_FILES_H_
