// Filters: which rows of one segment a scan may return.
//
// Filters are made from sets of item ids (make_filter in rows.h), and know nothing of metadata.
#ifndef CORVID_SEGMENT_READ_ROW_FILTER_H_
#define CORVID_SEGMENT_READ_ROW_FILTER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "io/format.h"
#include "io/frame.h"

namespace corvid {

// A set of item ids for fast membership tests of all rows of a segment.
class IdSet {
 public:
  // ids: any order, repeats allowed, each at most kMaxItemId.
  explicit IdSet(std::vector<uint64_t> ids);
  bool contains(uint64_t id) const;

 private:
  std::vector<uint64_t> sorted_;  // empty if there is a bitmap
  std::vector<uint64_t> bitmap_;  // bit id - min_
  uint64_t min_ = 0;
  uint64_t span_ = 0;  // largest id - min_ + 1; 0 for an empty set
};

// A bitmap of rows: bit (r % 8) of byte r / 8 keeps row r, as the scan kernels read it
// (simd/contract.h). Immutable once published.
class RowFilter {
 public:
  RowFilter(Uuid segment, uint64_t segment_rows);

  void keep(uint64_t row) {
    bits_[row / 64] |= uint64_t{1} << (row % 64);
    ++kept_rows_;
  }

  // UUID of the segment that the rows belong to.
  const Uuid& segment() const { return segment_; }
  uint64_t kept_rows() const { return kept_rows_; }
  // Padded with zeros to a multiple of 8 bytes.
  const uint8_t* bits() const { return reinterpret_cast<const uint8_t*>(bits_.data()); }
  bool keeps(uint64_t row) const { return (bits_[row / 64] >> (row % 64) & 1) != 0; }
  bool keeps_any(uint64_t first_row, uint64_t last_row) const;

  // Makes a filter available to all threads under a handle > 0, until it is withdrawn.
  static uint64_t publish(std::shared_ptr<const RowFilter> filter);
  static void withdraw(uint64_t handle);
  // Throws ERR_CLOSED if no filter has this handle (any more).
  static std::shared_ptr<const RowFilter> find(uint64_t handle);

 private:
  Uuid segment_;
  uint64_t kept_rows_ = 0;
  std::vector<uint64_t> bits_;
};

}  // namespace corvid

#endif  // CORVID_SEGMENT_READ_ROW_FILTER_H_
