#include "codec/train/partition.h"

#include <algorithm>
#include <numeric>

#include "base/random.h"
#include "base/threads.h"
#include "codec/lists/assign.h"
#include "linalg/matrix.h"
#include "simd/contract.h"

namespace corvid {
namespace {

// Chosen by `npm run bench -- recall`, on videos that were not trained on.
constexpr size_t kListRounds = 8;
constexpr size_t kGroupRounds = 20;
// A list's center is shrunk towards its group's mean with the weight of this many rows, because the
// mean of few training rows overfits.
constexpr float kCenterPullRows = 20;
// Rows that are assigned to lists in one batch.
constexpr size_t kAssignRows = 32768;

enum Stream : uint64_t { kListStream = 1, kGroupStream = 2, kOuterStream = 3 };

std::vector<float> mean_of(const Sample& sample) {
  std::vector<double> sums(sample.dims, 0);
  for (size_t r = 0; r < sample.rows; ++r) {
    for (size_t d = 0; d < sample.dims; ++d) sums[d] += sample.data[r * sample.dims + d];
  }
  for (double& sum : sums) sum /= static_cast<double>(sample.rows);
  return std::vector<float>(sums.begin(), sums.end());
}

std::vector<float> row_counts(const Grouping& grouping) {
  std::vector<float> counts(grouping.starts.size() - 1);
  for (size_t c = 0; c < counts.size(); ++c) {
    counts[c] = static_cast<float>(grouping.starts[c + 1] - grouping.starts[c]);
  }
  return counts;
}

struct Clustering {
  std::vector<float> centers;
  std::vector<uint32_t> clusters;  // of every point
};

Clustering cluster(const std::vector<float>& points, const std::vector<float>& weights, size_t dims,
                   size_t count, size_t threads, Random random) {
  const KMeansOptions options{count, kGroupRounds, threads, nullptr};
  Clustering result;
  result.centers = kmeans(points.data(), weights.size(), dims, weights.data(), options, random);
  result.clusters.resize(weights.size());
  assign_nearest(points.data(), weights.size(), dims, result.centers.data(), count, threads,
                 nullptr, result.clusters.data());
  return result;
}

// Makes sure that no cluster below `count` is empty: an empty one takes a point from the largest.
void fill_empty(std::vector<uint32_t>& clusters, size_t count) {
  std::vector<size_t> sizes(count, 0);
  for (uint32_t cluster : clusters) ++sizes[cluster];
  for (size_t c = 0; c < count; ++c) {
    if (sizes[c] > 0) continue;
    const auto most =
        static_cast<uint32_t>(std::max_element(sizes.begin(), sizes.end()) - sizes.begin());
    *std::find(clusters.begin(), clusters.end(), most) = static_cast<uint32_t>(c);
    --sizes[most];
    ++sizes[c];
  }
}

// order[new] = old, sorted stably by `keys`.
std::vector<uint32_t> order_by(const std::vector<uint32_t>& keys) {
  std::vector<uint32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return keys[a] < keys[b]; });
  return order;
}

// Groups the lists, and renumbers lists and groups so that a group's lists and an outer group's
// groups are consecutive. Returns the new number of every list.
std::vector<uint32_t> group_lists(size_t dims, const TrainingOptions& options,
                                  const std::vector<float>& list_weights, Partition& partition) {
  Clustering inner = cluster(partition.centers, list_weights, dims, options.groups, options.threads,
                             Random(options.seed, kGroupStream));
  fill_empty(inner.clusters, options.groups);
  std::vector<float> group_weights(options.groups, 0.0f);
  for (size_t list = 0; list < options.lists; ++list) {
    group_weights[inner.clusters[list]] += list_weights[list];
  }
  Clustering outer = cluster(inner.centers, group_weights, dims, options.outer_groups,
                             options.threads, Random(options.seed, kOuterStream));
  fill_empty(outer.clusters, options.outer_groups);

  const std::vector<uint32_t> group_order = order_by(outer.clusters);
  std::vector<uint32_t> group_numbers(options.groups);
  for (size_t group = 0; group < options.groups; ++group) {
    group_numbers[group_order[group]] = static_cast<uint32_t>(group);
    partition.outer_groups.push_back(outer.clusters[group_order[group]]);
  }
  for (uint32_t& group : inner.clusters) group = group_numbers[group];
  const std::vector<uint32_t> list_order = order_by(inner.clusters);
  std::vector<float> centers(partition.centers.size());
  for (size_t list = 0; list < options.lists; ++list) {
    std::copy_n(&partition.centers[list_order[list] * dims], dims, &centers[list * dims]);
    partition.groups.push_back(inner.clusters[list_order[list]]);
  }
  partition.centers = std::move(centers);
  std::vector<uint32_t> list_numbers(options.lists);
  for (size_t list = 0; list < options.lists; ++list) {
    list_numbers[list_order[list]] = static_cast<uint32_t>(list);
  }
  return list_numbers;
}

// Recomputes the centers: the mean of a list's rows, shrunk towards the mean of its group's rows.
void shrink_centers(const Sample& sample, const TrainingOptions& options, Partition& partition) {
  const size_t dims = sample.dims;
  const auto& starts = partition.rows.starts;
  std::vector<float> sums(options.lists * dims, 0.0f);
  parallel_for(options.lists, options.threads, [&](size_t list, size_t) {
    for (size_t i = starts[list]; i < starts[list + 1]; ++i) {
      const float* row = sample.data + partition.rows.order[i] * dims;
      for (size_t d = 0; d < dims; ++d) sums[list * dims + d] += row[d];
    }
  });
  std::vector<double> group_sums(options.groups * dims, 0), group_rows(options.groups, 0);
  for (size_t list = 0; list < options.lists; ++list) {
    const size_t group = partition.groups[list];
    group_rows[group] += static_cast<double>(starts[list + 1] - starts[list]);
    for (size_t d = 0; d < dims; ++d) group_sums[group * dims + d] += sums[list * dims + d];
  }
  for (size_t list = 0; list < options.lists; ++list) {
    const size_t group = partition.groups[list];
    if (group_rows[group] == 0) continue;
    const double rows = static_cast<double>(starts[list + 1] - starts[list]);
    for (size_t d = 0; d < dims; ++d) {
      const double pulled = kCenterPullRows * group_sums[group * dims + d] / group_rows[group];
      partition.centers[list * dims + d] =
          static_cast<float>((sums[list * dims + d] + pulled) / (rows + kCenterPullRows));
    }
  }
}

std::vector<uint32_t> assign(const Sample& sample, const std::vector<float>& centers,
                             const TrainingOptions& options, Progress& progress) {
  std::vector<uint32_t> lists(sample.rows);
  assign_nearest(sample.data, sample.rows, sample.dims, centers.data(), options.lists,
                 options.threads, &progress, lists.data());
  return lists;
}

// Centers as a codec stores them.
struct RoundedCenters {
  std::vector<int8_t> bytes;
  std::vector<float> scales;
};

// Rounds the centers of `partition` to what a codec stores, and returns them in that form.
RoundedCenters round_centers(Partition& partition, size_t dims) {
  RoundedCenters rounded{std::vector<int8_t>(partition.centers.size()),
                         std::vector<float>(partition.centers.size() / dims)};
  for (size_t list = 0; list < rounded.scales.size(); ++list) {
    int8_t* bytes = &rounded.bytes[list * dims];
    float* center = &partition.centers[list * dims];
    rounded.scales[list] = quantise(center, dims, bytes);
    for (size_t d = 0; d < dims; ++d) {
      center[d] = rounded.scales[list] * static_cast<float>(bytes[d]);
    }
  }
  return rounded;
}

// Fills list_rows and list_squares from the sample.
void measure_lists(const Sample& sample, const TrainingOptions& options, Partition& partition) {
  const size_t dims = sample.dims;
  const auto& starts = partition.rows.starts;
  partition.list_rows.resize(options.lists);
  partition.list_squares.assign(options.lists, 0);
  parallel_for(options.lists, options.threads, [&](size_t list, size_t) {
    std::vector<float> residual(dims);
    partition.list_rows[list] = static_cast<double>(starts[list + 1] - starts[list]);
    for (size_t i = starts[list]; i < starts[list + 1]; ++i) {
      const float* row = sample.data + partition.rows.order[i] * dims;
      for (size_t d = 0; d < dims; ++d) residual[d] = row[d] - partition.centers[list * dims + d];
      partition.list_squares[list] += squared_length(residual.data(), dims);
    }
  });
}

}  // namespace

Partition make_partition(const Sample& sample, const TrainingOptions& options, Progress& progress) {
  Partition partition;
  partition.mean = mean_of(sample);
  if (options.lists == 1) {
    partition.centers = partition.mean;
  } else {
    progress.start("lists", sample.rows * (kListRounds + 1));
    const KMeansOptions kmeans_options{options.lists, kListRounds, options.threads, &progress};
    partition.centers = kmeans(sample.data, sample.rows, sample.dims, nullptr, kmeans_options,
                               Random(options.seed, kListStream));
  }
  std::vector<uint32_t> lists = assign(sample, partition.centers, options, progress);
  const std::vector<uint32_t> numbers =
      group_lists(sample.dims, options,
                  row_counts(group_rows(lists.data(), sample.rows, options.lists)), partition);
  for (uint32_t& list : lists) list = numbers[list];
  partition.rows = group_rows(lists.data(), sample.rows, options.lists);
  shrink_centers(sample, options, partition);
  round_centers(partition, sample.dims);
  measure_lists(sample, options, partition);
  return partition;
}

// Centers are not shrunk towards their groups here: the mean of a group of a thousand lists says
// little about one list, and shrinking does not bring centers closer to rows outside the sample.
Partition partition_by(ListCenters& found, const Sample& sample, const TrainingOptions& options,
                       Progress& progress) {
  Partition partition;
  partition.mean = std::move(found.mean);
  partition.centers = std::move(found.centers);
  progress.start("groups", sample.rows);
  const std::vector<float> weights(found.rows.begin(), found.rows.end());
  const std::vector<uint32_t> numbers = group_lists(sample.dims, options, weights, partition);
  partition.list_rows.resize(options.lists);
  partition.list_squares.resize(options.lists);
  for (size_t list = 0; list < options.lists; ++list) {
    // Squared distances of the rows that a center is the mean of are smaller than those of other
    // rows, by (n - 1) / (n + 1).
    const double rows = found.rows[list];
    partition.list_rows[numbers[list]] = rows > 1 ? rows : 0;
    partition.list_squares[numbers[list]] =
        rows > 1 ? found.squares[list] * (rows + 1) / (rows - 1) : 0;
  }
  found = ListCenters();

  const RoundedCenters rounded = round_centers(partition, sample.dims);
  const ListAssigner assigner({rounded.bytes.data(), rounded.scales.data(), partition.mean.data(),
                               options.lists, sample.dims},
                              options.threads);
  std::vector<uint32_t> lists(sample.rows);
  for (size_t first = 0; first < sample.rows; first += kAssignRows) {
    progress.check();
    const size_t count = std::min(kAssignRows, sample.rows - first);
    ByteRows rows(count, sample.dims, partition.mean.data());
    parallel_for(count, options.threads,
                 [&](size_t r, size_t) { rows.set(r, sample.data + (first + r) * sample.dims); });
    const size_t candidates = assigner.candidate_count();
    std::vector<uint32_t> nearest(count * candidates);
    std::vector<float> products(nearest.size());
    assigner.candidates(rows, options.threads, nearest.data(), products.data());
    for (size_t r = 0; r < count; ++r) lists[first + r] = nearest[r * candidates];
    progress.add(count);
  }
  partition.rows = group_rows(lists.data(), sample.rows, options.lists);
  return partition;
}

}  // namespace corvid
