// Sets of ids as bitmaps or sorted arrays, and the filters that threads share by handle.
#include "segment/read/row_filter.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/error.h"

namespace corvid {
namespace {

// A bitmap answers with one access. It is used if it takes at most 64 bits per id, or 8 MiB.
constexpr uint64_t kBitsPerId = 64;
constexpr uint64_t kAlwaysBits = uint64_t{64} << 20;

struct PublishedFilters {
  std::mutex lock;
  uint64_t last_handle = 0;
  std::map<uint64_t, std::shared_ptr<const RowFilter>> filters;
};

PublishedFilters& published() {
  // Never destroyed: worker threads may still run when static objects are destroyed.
  static auto* const filters = new PublishedFilters;
  return *filters;
}

}  // namespace

IdSet::IdSet(std::vector<uint64_t> ids) : sorted_(std::move(ids)) {
  if (sorted_.empty()) return;
  const auto [min, max] = std::minmax_element(sorted_.begin(), sorted_.end());
  min_ = *min;
  span_ = *max - min_ + 1;
  if (span_ > std::max(kAlwaysBits, sorted_.size() * kBitsPerId)) {
    std::sort(sorted_.begin(), sorted_.end());
    return;
  }
  bitmap_.resize((span_ + 63) / 64);
  for (const uint64_t id : sorted_) {
    bitmap_[(id - min_) / 64] |= uint64_t{1} << ((id - min_) % 64);
  }
  sorted_.clear();
  sorted_.shrink_to_fit();
}

bool IdSet::contains(uint64_t id) const {
  const uint64_t offset = id - min_;  // wraps to a large number if id < min_
  if (offset >= span_) return false;
  if (bitmap_.empty()) return std::binary_search(sorted_.begin(), sorted_.end(), id);
  return bitmap_[offset / 64] >> (offset % 64) & 1;
}

RowFilter::RowFilter(Uuid segment, uint64_t segment_rows)
    : segment_(segment), bits_((segment_rows + 63) / 64 + 1) {}

bool RowFilter::keeps_any(uint64_t first_row, uint64_t last_row) const {
  if (first_row >= last_row) return false;
  const uint64_t first_word = first_row / 64;
  const uint64_t last_word = (last_row - 1) / 64;
  const uint64_t first_mask = ~uint64_t{0} << (first_row % 64);
  const uint64_t last_mask = ~uint64_t{0} >> (63 - (last_row - 1) % 64);
  if (first_word == last_word) return (bits_[first_word] & first_mask & last_mask) != 0;
  if ((bits_[first_word] & first_mask) != 0 || (bits_[last_word] & last_mask) != 0) return true;
  return std::any_of(bits_.begin() + first_word + 1, bits_.begin() + last_word,
                     [](uint64_t word) { return word != 0; });
}

uint64_t RowFilter::publish(std::shared_ptr<const RowFilter> filter) {
  PublishedFilters& all = published();
  const std::lock_guard<std::mutex> hold(all.lock);
  all.filters[++all.last_handle] = std::move(filter);
  return all.last_handle;
}

void RowFilter::withdraw(uint64_t handle) {
  PublishedFilters& all = published();
  const std::lock_guard<std::mutex> hold(all.lock);
  all.filters.erase(handle);
}

std::shared_ptr<const RowFilter> RowFilter::find(uint64_t handle) {
  PublishedFilters& all = published();
  const std::lock_guard<std::mutex> hold(all.lock);
  const auto found = all.filters.find(handle);
  if (found != all.filters.end()) return found->second;
  throw Error("ERR_CLOSED", "the row filter was freed").hint("create it again");
}

}  // namespace corvid
