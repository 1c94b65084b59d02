// The layout of progress.bin, and reading it with every length checked.
#include "segment/write/write_progress.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/error.h"
#include "io/frame.h"
#include "io/system_file.h"

namespace corvid {
namespace {

constexpr char kProgressName[] = "progress.bin";
constexpr char kNextName[] = "progress.next";

// The data: this head; the rows of every list (8 bytes each); the state of every bucket; and for
// every file of the segment its bytes, the number of its checksums, and the checksums.
struct ProgressHead {
  uint64_t rows_added;
  uint64_t largest_id;
  uint64_t rows_placed;
  uint32_t lists;
  uint32_t buckets;
  uint32_t buckets_placed;
  uint32_t files;
  uint8_t block[kBlockBytes];
};
static_assert(std::is_trivially_copyable_v<ProgressHead>);

// Reads the data of a file in order, and never past its end.
class Reader {
 public:
  explicit Reader(const FramedFile& file)
      : path_(file.path()), at_(file.data()), left_(file.data_bytes()) {}

  template <typename T>
  void take(T* to, uint64_t count) {
    if (count > left_ / sizeof(T)) throw damaged();
    if (count == 0) return;
    std::memcpy(to, at_, count * sizeof(T));
    at_ += count * sizeof(T);
    left_ -= count * sizeof(T);
  }
  template <typename T>
  std::vector<T> take(uint64_t count) {
    if (count > left_ / sizeof(T)) throw damaged();
    std::vector<T> values(count);
    take(values.data(), count);
    return values;
  }
  uint64_t left() const { return left_; }
  Error damaged() const {
    return Error("ERR_FORMAT_CORRUPT", "the progress of an unfinished build is damaged")
        .path(path_)
        .hint("remove the folder that holds it, and run the same command again");
  }

 private:
  std::string path_;
  const uint8_t* at_;
  uint64_t left_;
};

}  // namespace

void save_progress(const std::string& folder, const Uuid& uuid, const WriteProgress& progress) {
  const SegmentFiles::State& files = progress.files;
  ProgressHead head{};
  head.rows_added = progress.rows_added;
  head.largest_id = progress.largest_id;
  head.rows_placed = files.rows;
  head.lists = static_cast<uint32_t>(progress.list_rows.size());
  head.buckets = static_cast<uint32_t>(progress.buckets.size());
  head.buckets_placed = progress.buckets_placed;
  head.files = static_cast<uint32_t>(files.files.size());
  std::copy(files.block.begin(), files.block.end(), head.block);

  const std::string next = folder + "/" + kNextName;
  FileWriter file(next, {FileKind::kProgress, 0, 1, uuid});
  file.write(&head, sizeof(head));
  file.write(progress.list_rows.data(), progress.list_rows.size() * sizeof(uint64_t));
  for (const Spill::BucketState& bucket : progress.buckets) {
    file.write(&bucket.bytes, sizeof(bucket.bytes));
    file.write(&bucket.chunks, sizeof(bucket.chunks));
  }
  for (const FileWriter::State& state : files.files) {
    const uint64_t checksums = state.checksums.size();
    file.write(&state.data_bytes, sizeof(state.data_bytes));
    file.write(&checksums, sizeof(checksums));
    file.write(state.checksums.data(), checksums * sizeof(uint32_t));
  }
  file.finish(file.data_bytes());
  rename_file(next, folder + "/" + kProgressName);
  sync_folder(folder);
}

std::optional<WriteProgress> load_progress(const std::string& folder, const SegmentShape& shape) {
  const std::string path = folder + "/" + kProgressName;
  if (!file_exists(path)) return std::nullopt;
  const FramedFile file(path, FileKind::kProgress);
  file.verify();
  Reader reader(file);
  ProgressHead head{};
  reader.take(&head, 1);
  const size_t segment_files = shape.levels.size() + 1 + (shape.vector_bytes > 0);
  if (file.uuid() != shape.uuid || head.lists != shape.lists || head.buckets == 0 ||
      head.buckets > head.lists || head.buckets_placed > head.buckets ||
      head.files != (head.buckets_placed > 0 ? segment_files : 0) || head.largest_id > kMaxItemId) {
    throw reader.damaged();
  }
  WriteProgress progress;
  progress.rows_added = head.rows_added;
  progress.largest_id = head.largest_id;
  progress.buckets_placed = head.buckets_placed;
  progress.files.rows = head.rows_placed;
  std::copy(std::begin(head.block), std::end(head.block), progress.files.block.begin());
  progress.list_rows = reader.take<uint64_t>(head.lists);
  for (uint32_t bucket = 0; bucket < head.buckets; ++bucket) {
    const std::vector<uint64_t> state = reader.take<uint64_t>(2);
    progress.buckets.push_back({state[0], state[1]});
  }
  for (uint32_t number = 0; number < head.files; ++number) {
    const std::vector<uint64_t> sizes = reader.take<uint64_t>(2);
    progress.files.files.push_back({sizes[0], reader.take<uint32_t>(sizes[1])});
  }
  uint64_t rows = 0;
  for (const uint64_t in_list : progress.list_rows) {
    if (in_list > kMaxRows || (rows += in_list) > kMaxRows) throw reader.damaged();
  }
  if (reader.left() != 0 || rows != head.rows_added) throw reader.damaged();
  return progress;
}

void remove_progress(const std::string& folder) {
  remove_file(folder + "/" + kProgressName);
  remove_file(folder + "/" + kNextName);
}

}  // namespace corvid
