#include "codec/lists/hierarchy.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "base/threads.h"
#include "codec/format/projector.h"
#include "codec/lists/kmeans.h"
#include "codec/lists/list_tree.h"
#include "linalg/matrix.h"
#include "linalg/principal_directions.h"
#include "simd/contract.h"

namespace corvid {
namespace {

// Principal directions in which distances are compared.
constexpr size_t kReducedDims = 128;
constexpr size_t kCellRounds = 10;
constexpr size_t kCellTrainingRows = 256;  // per cell
constexpr size_t kListRounds = 8;
// Rounds in which rows may leave their cell.
constexpr size_t kFreeRounds = 2;
constexpr size_t kFreeProbes = 8;
// Rows that are assigned in one batch in these rounds.
constexpr size_t kFreeRows = 32768;
// Rows of one unit of work of a thread.
constexpr size_t kChunkRows = 4096;

enum Stream : uint64_t { kCellStream = 64, kFirstListStream = 65 };

class Hierarchy {
 public:
  Hierarchy(const ByteSample& sample, const HierarchyOptions& options, Progress& progress)
      : sample_(sample),
        options_(options),
        progress_(progress),
        reduced_dims_(std::min(kReducedDims, sample.dims())),
        lists_(sample.rows()) {}

  ListCenters run() {
    progress_.start("lists", sample_.rows() * (2 + kListRounds + kFreeRounds + 1));
    project();
    cut_cells();
    for (size_t round = 0; round < kFreeRounds; ++round) {
      assign_freely();
      average();
    }
    assign_freely();
    return finish();
  }

 private:
  // Computes the mean, the principal directions, and all rows projected onto them, as float16.
  void project() {
    const size_t dims = sample_.dims();
    const size_t used = std::min(sample_.rows(), kPrincipalRows);
    std::vector<float> rows(used * dims);
    for (size_t i = 0; i < used; ++i) {
      sample_.row(sample_.rows() * i / used, &rows[i * dims]);
    }
    result_.mean = mean_of_all();
    directions_ = principal_directions(rows.data(), used, dims, result_.mean.data(), reduced_dims_);
    reduced_.resize(sample_.rows() * reduced_dims_);
    for_chunks([&](size_t first, size_t count) {
      std::vector<float> chunk(count * dims), projected(count * reduced_dims_);
      sample_.rows_from(first, count, chunk.data());
      for (size_t r = 0; r < count; ++r) {
        for (size_t d = 0; d < dims; ++d) chunk[r * dims + d] -= result_.mean[d];
      }
      kernels().gemm_nt(count, reduced_dims_, dims, chunk.data(), dims, directions_.data(), dims,
                        projected.data(), reduced_dims_, false);
      kernels().float_to_half(projected.data(), &reduced_[first * reduced_dims_], projected.size());
    });
  }

  // Sums fixed chunks, so that the order of additions does not depend on the number of threads.
  std::vector<float> mean_of_all() const {
    const size_t dims = sample_.dims(), chunks = (sample_.rows() + kChunkRows - 1) / kChunkRows;
    std::vector<std::vector<float>> sums(chunks, std::vector<float>(dims, 0.0f));
    parallel_for(chunks, options_.threads, [&](size_t chunk, size_t) {
      std::vector<float> row(dims);
      const size_t last = std::min(sample_.rows(), (chunk + 1) * kChunkRows);
      for (size_t r = chunk * kChunkRows; r < last; ++r) {
        sample_.row(r, row.data());
        for (size_t d = 0; d < dims; ++d) sums[chunk][d] += row[d];
      }
    });
    std::vector<double> sum(dims, 0);
    for (const auto& part : sums) {
      for (size_t d = 0; d < dims; ++d) sum[d] += part[d];
    }
    for (double& value : sum) value /= static_cast<double>(sample_.rows());
    return std::vector<float>(sum.begin(), sum.end());
  }

  // Cuts the sample into cells, and trains each cell's share of the lists within it.
  void cut_cells() {
    size_t cells = 1;
    while (cells * cells < options_.lists) cells *= 2;
    const size_t used = std::min(sample_.rows(), cells * kCellTrainingRows);
    std::vector<float> rows(used * reduced_dims_);
    for (size_t i = 0; i < used; ++i)
      read_reduced(sample_.rows() * i / used, &rows[i * reduced_dims_]);
    const KMeansOptions kmeans_options{cells, kCellRounds, options_.threads, nullptr};
    const std::vector<float> centers = kmeans(rows.data(), used, reduced_dims_, nullptr,
                                              kmeans_options, Random(options_.seed, kCellStream));
    for_chunks([&](size_t first, size_t count) {
      std::vector<float> chunk(count * reduced_dims_);
      kernels().half_to_float(&reduced_[first * reduced_dims_], chunk.data(), chunk.size());
      assign_nearest(chunk.data(), count, reduced_dims_, centers.data(), cells, 1, nullptr,
                     &lists_[first]);
    });
    const Grouping by_cell = group_rows(lists_.data(), sample_.rows(), cells);
    const std::vector<size_t> first_lists = share_lists(by_cell);
    centers_.resize(options_.lists * reduced_dims_);
    // Largest cells first, so that no thread still works on a large one at the end.
    std::vector<size_t> order(cells);
    std::iota(order.begin(), order.end(), 0);
    const auto rows_of = [&](size_t c) { return by_cell.starts[c + 1] - by_cell.starts[c]; };
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return rows_of(a) > rows_of(b); });
    parallel_for(cells, options_.threads, [&](size_t i, size_t) {
      progress_.check();
      const size_t cell = order[i], count = rows_of(cell);
      const size_t lists = first_lists[cell + 1] - first_lists[cell];
      if (lists == 0) return;
      std::vector<float> cell_rows(count * reduced_dims_);
      for (size_t r = 0; r < count; ++r) {
        read_reduced(by_cell.order[by_cell.starts[cell] + r], &cell_rows[r * reduced_dims_]);
      }
      const KMeansOptions list_options{lists, kListRounds, 1, &progress_};
      const std::vector<float> found =
          kmeans(cell_rows.data(), count, reduced_dims_, nullptr, list_options,
                 Random(options_.seed, kFirstListStream + cell));
      std::copy(found.begin(), found.end(), &centers_[first_lists[cell] * reduced_dims_]);
    });
  }

  // The first list of every cell, and the total at the end. A cell gets lists in proportion to its
  // rows, never more lists than rows. Rounding cumulative shares hands out every list exactly once.
  std::vector<size_t> share_lists(const Grouping& by_cell) const {
    std::vector<size_t> first(by_cell.starts.size());
    for (size_t c = 0; c < first.size(); ++c) {
      first[c] = by_cell.starts[c] * options_.lists / sample_.rows();
    }
    return first;
  }

  // Assigns every row to the nearest of all lists that the tree finds.
  void assign_freely() {
    std::vector<float> half_norms(options_.lists);
    for (size_t list = 0; list < options_.lists; ++list) {
      half_norms[list] = squared_length(center(list), reduced_dims_) / 2;
    }
    const auto read_center = [&](uint32_t list, float* out) {
      std::copy_n(center(list), reduced_dims_, out);
    };
    const ListTree tree(read_center, options_.lists, reduced_dims_, options_.threads);
    const std::vector<float> origin(reduced_dims_, 0.0f);
    for (size_t first = 0; first < sample_.rows(); first += kFreeRows) {
      progress_.check();
      const size_t count = std::min(kFreeRows, sample_.rows() - first);
      std::vector<float> chunk(count * reduced_dims_);
      ByteRows rows(count, reduced_dims_, origin.data());
      parallel_for(count, options_.threads, [&](size_t r, size_t) {
        read_reduced(first + r, &chunk[r * reduced_dims_]);
        rows.set(r, &chunk[r * reduced_dims_]);
      });
      const std::vector<NearList> found = tree.nearest(rows, kFreeProbes, options_.threads);
      parallel_for(count, options_.threads, [&](size_t r, size_t) {
        float best = -INFINITY;
        for (size_t i = 0; i < ListTree::kNearest; ++i) {
          const uint32_t list = found[r * ListTree::kNearest + i].list;
          if (list == ListTree::kNoList) continue;
          const float score =
              kernels().dot(&chunk[r * reduced_dims_], center(list), reduced_dims_) -
              half_norms[list];
          if (score < best || (score == best && list > lists_[first + r])) continue;
          best = score;
          lists_[first + r] = list;
        }
      });
      progress_.add(count);
    }
  }

  // Moves every center to the mean of its rows; a center without rows stays where it is.
  void average() {
    const Grouping grouping = group_rows(lists_.data(), sample_.rows(), options_.lists);
    parallel_for(options_.lists, options_.threads, [&](size_t list, size_t) {
      const size_t first = grouping.starts[list], last = grouping.starts[list + 1];
      if (first == last) return;
      std::vector<float> sum(reduced_dims_, 0.0f), row(reduced_dims_);
      for (size_t i = first; i < last; ++i) {
        read_reduced(grouping.order[i], row.data());
        for (size_t d = 0; d < reduced_dims_; ++d) sum[d] += row[d];
      }
      for (size_t d = 0; d < reduced_dims_; ++d) {
        centers_[list * reduced_dims_ + d] = sum[d] / static_cast<float>(last - first);
      }
    });
  }

  // Computes the centers in all dimensions. A center without rows is reconstructed from its
  // projection.
  ListCenters finish() {
    const size_t dims = sample_.dims();
    const Grouping grouping = group_rows(lists_.data(), sample_.rows(), options_.lists);
    result_.dims = dims;
    result_.centers.assign(options_.lists * dims, 0.0f);
    result_.rows.resize(options_.lists);
    result_.squares.assign(options_.lists, 0.0f);
    parallel_for(options_.lists, options_.threads, [&](size_t list, size_t) {
      const size_t first = grouping.starts[list], count = grouping.starts[list + 1] - first;
      float* full_center = &result_.centers[list * dims];
      result_.rows[list] = static_cast<uint32_t>(count);
      if (count == 0) {
        std::copy(result_.mean.begin(), result_.mean.end(), full_center);
        for (size_t k = 0; k < reduced_dims_; ++k) {
          for (size_t d = 0; d < dims; ++d)
            full_center[d] += center(list)[k] * directions_[k * dims + d];
        }
        return;
      }
      std::vector<float> rows(count * dims);
      for (size_t i = 0; i < count; ++i) {
        sample_.row(grouping.order[first + i], &rows[i * dims]);
        for (size_t d = 0; d < dims; ++d) full_center[d] += rows[i * dims + d];
      }
      for (size_t d = 0; d < dims; ++d) full_center[d] /= static_cast<float>(count);
      for (size_t i = 0; i < count; ++i) {
        for (size_t d = 0; d < dims; ++d) rows[i * dims + d] -= full_center[d];
        result_.squares[list] += squared_length(&rows[i * dims], dims);
      }
    });
    return std::move(result_);
  }

  // Writes the projection of a row onto the principal directions.
  void read_reduced(size_t row, float* out) const {
    kernels().half_to_float(&reduced_[row * reduced_dims_], out, reduced_dims_);
  }
  const float* center(size_t list) const { return &centers_[list * reduced_dims_]; }

  // Calls work(first row, count) for chunks of the sample, from all threads.
  template <typename Work>
  void for_chunks(const Work& work) {
    parallel_for((sample_.rows() + kChunkRows - 1) / kChunkRows, options_.threads,
                 [&](size_t chunk, size_t) {
                   progress_.check();
                   const size_t first = chunk * kChunkRows;
                   const size_t count = std::min(kChunkRows, sample_.rows() - first);
                   work(first, count);
                   progress_.add(count);
                 });
  }

  const ByteSample& sample_;
  const HierarchyOptions options_;
  Progress& progress_;
  const size_t reduced_dims_;
  std::vector<float> directions_;  // reduced_dims x dims
  std::vector<uint16_t> reduced_;  // the sample's rows x reduced_dims, float16
  std::vector<uint32_t> lists_;    // list of every row; its cell until lists exist
  std::vector<float> centers_;     // lists x reduced_dims
  ListCenters result_;
};

}  // namespace

ListCenters hierarchical_kmeans(const ByteSample& sample, const HierarchyOptions& options,
                                Progress& progress) {
  return Hierarchy(sample, options, progress).run();
}

}  // namespace corvid
