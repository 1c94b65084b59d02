#include "codec/train/train.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/threads.h"
#include "codec/lists/kmeans.h"
#include "codec/train/draft.h"
#include "codec/train/level.h"
#include "codec/train/partition.h"
#include "codec/train/pooled_statistics.h"
#include "codec/train/residual_training.h"
#include "codec/train/rotation.h"
#include "codec/train/routing_training.h"
#include "linalg/matrix.h"
#include "simd/contract.h"

namespace corvid {
namespace {

// Shares of the training rows whose norm or gain lies below and above the range of a byte. The
// range of gains is widened by a factor, because rows encoded later may be unlike the sample.
constexpr double kTail = 0.0005;
constexpr float kGainMargin = 1.1f;
// The range of int8 vectors is the sample's largest distance to the mean, widened by this factor.
constexpr float kVectorMargin = 1.1f;
// A list's scale is shrunk towards its group's with the weight of this many rows
// (`npm run bench -- recall`). A list whose rows all equal its center gets the smallest scale.
constexpr double kScalePullRows = 10;
constexpr double kLeastScale = 1e-3;

// Streams of random numbers; those below are in codec/train/partition.cc.
constexpr uint64_t kSampleStream = 16;
constexpr uint64_t kRotationStream = 32;

// Trains one codec. Training rows are kept in list order with their residuals, level after level.
class Trainer {
 public:
  Trainer(const Sample& sample, const TrainingOptions& options, Progress& progress)
      : sample_(sample), options_(options), progress_(progress) {}

  // `lists`: as for train().
  std::shared_ptr<const Codec> run(ListCenters* lists) {
    partition_ = lists == nullptr ? make_partition(sample_, options_, progress_)
                                  : partition_by(*lists, sample_, options_, progress_);
    CodecDraft draft(head());
    write_partition(draft);
    if (options_.method == CodecMethod::kRotation) write_rotation(draft);
    compute_residuals();
    set_scales(draft);
    train_64(draft);
    write_list_projections(draft);
    compute_starts(draft);
    if (options_.level_count > 1) train_residual_levels(draft);
    write_vector_steps(draft);
    write_routing(draft, partition_.centers);
    return draft.finish();
  }

 private:
  CodecHead head() const {
    CodecHead head{};
    head.head_bytes = sizeof head;
    head.method = static_cast<uint32_t>(options_.method);
    head.dims = static_cast<uint32_t>(options_.dims);
    head.padded_dims = static_cast<uint32_t>(sample_.dims);
    head.lists = static_cast<uint32_t>(options_.lists);
    head.groups = static_cast<uint32_t>(options_.groups);
    head.outer_groups = static_cast<uint32_t>(options_.outer_groups);
    head.level_count = static_cast<uint32_t>(options_.level_count);
    const bool projected = options_.lists > kFullRoutingLists && sample_.dims > kRoutingDims;
    head.routing_dims = static_cast<uint32_t>(projected ? kRoutingDims : sample_.dims);
    head.seed = options_.seed;
    head.training_rows = sample_.rows;
    for (size_t i = 0; i < options_.level_count; ++i) {
      CodecLevel& level = head.levels[i];
      level.bits = kLevels[i];
      level.added_bits = kLevels[i] - (i == 0 ? 0 : kLevels[i - 1]);
      const bool trained = options_.method == CodecMethod::kTrained;
      level.cosine_power = trained ? kCosinePowers[i] : 0;
    }
    head.basis_columns = static_cast<uint32_t>(basis_columns(
        options_.method == CodecMethod::kTrained, sample_.dims, kLevels[options_.level_count - 1]));
    return head;
  }

  void write_partition(CodecDraft& draft) const {
    std::copy(partition_.mean.begin(), partition_.mean.end(), draft.mean());
    for (size_t list = 0; list < options_.lists; ++list) {
      draft.center_scales()[list] = quantise(center(list), sample_.dims, draft.center_bytes(list));
      ListRecord& record = draft.list_records()[list];
      record.group = static_cast<uint16_t>(partition_.groups[list]);
      record.outer_group = static_cast<uint16_t>(partition_.outer_groups[record.group]);
      record.norm_squared = squared_length(center(list), sample_.dims);
    }
  }

  const float* center(size_t list) const { return &partition_.centers[list * sample_.dims]; }
  const float* sample_row(size_t i) const {
    return sample_.data + partition_.rows.order[i] * sample_.dims;
  }

  void compute_residuals() {
    const size_t dims = sample_.dims;
    residuals_.resize(sample_.rows * dims);
    lists_.resize(sample_.rows);
    parallel_for(options_.lists, options_.threads, [&](size_t list, size_t) {
      const auto& starts = partition_.rows.starts;
      for (size_t i = starts[list]; i < starts[list + 1]; ++i) {
        lists_[i] = static_cast<uint32_t>(list);
        for (size_t d = 0; d < dims; ++d) {
          residuals_[i * dims + d] = sample_row(i)[d] - center(list)[d];
        }
      }
    });
  }

  // A list's scale is the root mean square distance of its rows to its center, relative to all rows
  // and shrunk towards its group's. Residuals vary less once divided by it, so directions and
  // corners fit them better, above all with few training rows.
  void set_scales(CodecDraft& draft) {
    const std::vector<double>&squares = partition_.list_squares, &rows = partition_.list_rows;
    std::vector<double> group_squares(options_.groups, 0), group_rows(options_.groups, 0);
    double all_squares = 0, all_rows = 0;
    for (size_t list = 0; list < options_.lists; ++list) {
      const uint32_t group = partition_.groups[list];
      group_squares[group] += squares[list];
      group_rows[group] += rows[list];
      all_squares += squares[list];
      all_rows += rows[list];
    }
    scales_.assign(options_.lists, 1.0f);
    const double mean = all_rows > 0 ? all_squares / all_rows : 0;
    for (size_t list = 0; list < options_.lists && mean > 0; ++list) {
      const uint32_t group = partition_.groups[list];
      const double prior = group_rows[group] > 0 ? group_squares[group] / group_rows[group] : mean;
      const double square =
          (squares[list] + kScalePullRows * prior) / (rows[list] + kScalePullRows);
      scales_[list] = static_cast<float>(std::max(std::sqrt(square / mean), kLeastScale));
    }
    for (size_t list = 0; list < options_.lists; ++list) {
      draft.list_records()[list].residual_scale = scales_[list];
    }
  }

  size_t rows_of(size_t list) const {
    return partition_.rows.starts[list + 1] - partition_.rows.starts[list];
  }

  // Divides or multiplies the residuals by the scales of their lists.
  void scale_residuals(bool divide) {
    parallel_for(options_.lists, options_.threads, [&](size_t list, size_t) {
      const float factor = divide ? 1 / scales_[list] : scales_[list];
      const auto& starts = partition_.rows.starts;
      for (size_t i = starts[list] * sample_.dims; i < starts[list + 1] * sample_.dims; ++i) {
        residuals_[i] *= factor;
      }
    });
  }

  // A group's lists and training rows. Both are ranges, because a group's lists are consecutive
  // (codec/train/partition.h) and rows are in list order.
  struct Group {
    size_t number;
    size_t first_list, last_list;
    size_t first_row, rows;
  };
  // Largest groups first, so that no thread still works on a large one at the end.
  std::vector<Group> groups_of(bool outer) const {
    std::vector<Group> groups;
    for (size_t list = 0; list < options_.lists; ++list) {
      const uint32_t group = partition_.groups[list];
      const uint32_t number = outer ? partition_.outer_groups[group] : group;
      if (groups.empty() || groups.back().number != number) {
        groups.push_back({number, list, list, partition_.rows.starts[list], 0});
      }
      groups.back().last_list = list + 1;
      groups.back().rows += rows_of(list);
    }
    std::stable_sort(groups.begin(), groups.end(),
                     [](const Group& a, const Group& b) { return a.rows > b.rows; });
    return groups;
  }

  void train_64(CodecDraft& draft) {
    const std::vector<Group> groups = groups_of(false);
    progress_.start("train 64 bits", groups.size());
    scale_residuals(true);
    const PooledStatistics pooled = pooled_statistics_of(residuals_, sample_.rows, sample_.dims,
                                                         options_.threads, random(kSampleStream));
    parallel_for(groups.size(), options_.threads, [&](size_t i, size_t) {
      const Group& group = groups[i];
      GroupRows rows{&residuals_[group.first_row * sample_.dims],
                     group.rows,
                     sample_.dims,
                     center(group.first_list),
                     &scales_[group.first_list],
                     &lists_[group.first_row],
                     group.first_list,
                     group.last_list - group.first_list};
      if (options_.method == CodecMethod::kRotation) {
        set_plain_corners(rows, draft.level_64(group.number));
      } else {
        train_level_64(rows, pooled, progress_, draft.level_64(group.number));
      }
      progress_.add(1);
    });
    scale_residuals(false);
  }

  // Computes the starts of the residual levels, and the root mean square of ‖x̂‖.
  void compute_starts(CodecDraft& draft) {
    const size_t dims = sample_.dims;
    starts_.resize(sample_.rows);
    parallel_for((sample_.rows + 1023) / 1024, options_.threads, [&](size_t chunk, size_t) {
      std::vector<float> decoded(dims);
      for (size_t i = chunk * 1024; i < std::min(sample_.rows, (chunk + 1) * 1024); ++i) {
        const float* x = sample_row(i);
        const float* residual = &residuals_[i * dims];
        for (size_t d = 0; d < dims; ++d) decoded[d] = x[d] - residual[d];
        starts_[i] = {kernels().dot(x, decoded.data(), dims), squared_length(decoded.data(), dims),
                      std::max(std::sqrt(squared_length(residual, dims)), kLeastGain)};
      }
    });
    double squares = 0;
    for (const ResidualStart& start : starts_) squares += start.square;
    draft.head().mean_norm = static_cast<float>(std::sqrt(squares / sample_.rows));
  }

  void train_residual_levels(CodecDraft& draft) {
    const size_t dims = sample_.dims;
    const std::vector<Group> groups = groups_of(true);
    progress_.start("train residual levels", groups.size());
    write_gains(draft);
    for (size_t i = 0; i < sample_.rows; ++i) {
      for (size_t d = 0; d < dims; ++d) residuals_[i * dims + d] /= starts_[i].gain;
    }
    const PooledStatistics pooled = pooled_statistics_of(
        residuals_, sample_.rows, dims, options_.threads, random(kSampleStream + 1));
    std::vector<const float*> embeddings(sample_.rows);
    for (size_t i = 0; i < sample_.rows; ++i) embeddings[i] = sample_row(i);
    std::vector<Decoded> decoded[kLevelCount];
    for (size_t level = 1; level < options_.level_count; ++level) {
      decoded[level].resize(sample_.rows);
    }
    parallel_for(groups.size(), options_.threads, [&](size_t i, size_t) {
      const size_t first = groups[i].first_row;
      const ResidualGroupRows rows{&residuals_[first * dims], &embeddings[first], &starts_[first],
                                   groups[i].rows, dims};
      Decoded* group_decoded[kLevelCount] = {};
      for (size_t level = 1; level < options_.level_count; ++level) {
        group_decoded[level] = &decoded[level][first];
      }
      const ResidualModel model = draft.residual(groups[i].number);
      if (options_.method == CodecMethod::kRotation) {
        set_plain_residual(rows, draft.gains(), model, group_decoded);
      } else {
        train_residual(rows, pooled, draft.gains(), progress_, model, group_decoded);
      }
      progress_.add(1);
    });
    for (size_t level = 1; level < options_.level_count; ++level) {
      write_norms(decoded[level], draft.head().levels[level]);
    }
  }

  static void write_norms(const std::vector<Decoded>& decoded, CodecLevel& level) {
    double logarithms = 0;
    for (const Decoded& row : decoded) logarithms += std::log(row.cosine);
    level.typical_cosine =
        static_cast<float>(std::exp(logarithms / static_cast<double>(decoded.size())));
    std::vector<float> divisors;
    for (const Decoded& row : decoded) divisors.push_back(divisor_of(row, level));
    const Range range = range_of(divisors);
    level.norm_low = range.low;
    level.norm_step = std::max(range.high - range.low, 1e-6f) / 255;
  }

  struct Range {
    float low, high;
  };
  static Range range_of(std::vector<float>& values) {
    std::sort(values.begin(), values.end());
    const auto tail = static_cast<size_t>(kTail * static_cast<double>(values.size()));
    return {values[tail], values[values.size() - 1 - tail]};
  }

  // Gains are spaced evenly in the logarithm.
  void write_gains(CodecDraft& draft) const {
    std::vector<float> gains(sample_.rows);
    for (size_t i = 0; i < sample_.rows; ++i) gains[i] = starts_[i].gain;
    const Range range = range_of(gains);
    const double low = std::log(range.low / kGainMargin);
    const double high = std::log(range.high * kGainMargin);
    for (size_t i = 0; i < kGains; ++i) {
      const double place = static_cast<double>(i) / (kGains - 1);
      draft.gains()[i] = static_cast<float>(std::exp(low + place * (high - low)));
    }
  }

  // Writes a random rotation: its first 64 directions are those of level 64, the others the basis
  // of the residual levels, of which each level codes a separate part.
  void write_rotation(CodecDraft& draft) const {
    const size_t dims = sample_.dims, bits = kLevels[options_.level_count - 1];
    Random source = random(kRotationStream);
    const std::vector<float> rotation = random_rotation(dims, bits, source);
    write_panels(rotation.data(), kLevel64Directions, dims, draft.level_64(0).directions);
    if (options_.level_count == 1) return;
    write_panels(&rotation[kLevel64Directions * dims], bits - kLevel64Directions, dims,
                 draft.residual(0).basis);
  }

  // Writes Qᵀ(µ + c) of every list, as int8.
  void write_list_projections(CodecDraft& draft) const {
    const size_t dims = sample_.dims;
    const std::vector<Group> groups = groups_of(false);
    parallel_for(groups.size(), options_.threads, [&](size_t i, size_t) {
      const Group& group = groups[i];
      const size_t count = group.last_list - group.first_list;
      const std::vector<float> directions =
          PanelSpan(draft.level_64(group.number).directions, kLevel64Directions, dims)
              .read_all(dims);
      std::vector<float> projections(count * kLevel64Directions);
      kernels().gemm_nt(count, kLevel64Directions, dims, center(group.first_list), dims,
                        directions.data(), dims, projections.data(), kLevel64Directions, false);
      for (size_t offset = 0; offset < count; ++offset) {
        ListRecord& record = draft.list_records()[group.first_list + offset];
        record.projection_scale = quantise(&projections[offset * kLevel64Directions],
                                           kLevel64Directions, record.projection);
      }
    });
  }

  void write_vector_steps(CodecDraft& draft) const {
    std::vector<float> reach(options_.dims, 1e-6f);
    for (size_t r = 0; r < sample_.rows; ++r) {
      for (size_t d = 0; d < options_.dims; ++d) {
        const float size = std::fabs(sample_.data[r * sample_.dims + d] - partition_.mean[d]);
        reach[d] = std::max(reach[d], size);
      }
    }
    for (size_t d = 0; d < options_.dims; ++d) {
      draft.vector_steps()[d] = kVectorMargin * reach[d] / 127;
    }
  }

  Random random(uint64_t stream) const { return Random(options_.seed, stream); }

  const Sample sample_;
  const TrainingOptions options_;
  Progress& progress_;
  Partition partition_;
  std::vector<float> residuals_;       // rows x dims, rows in list order
  std::vector<uint32_t> lists_;        // rows: the list of each, in list order
  std::vector<float> scales_;          // lists: the residual scale of each at level 64
  std::vector<ResidualStart> starts_;  // rows, in list order: the state after level 64
};

void check(size_t rows, const TrainingOptions& options, const ListCenters* lists) {
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw Error("ERR_USAGE", what);
  };
  const size_t padded_dims = std::max<size_t>(options.dims, kLevel64Directions);
  require(rows > 0, "training needs at least one embedding");
  require(options.dims > 0 && options.dims <= kMaxDims, "dims is out of range");
  require(options.level_count > 0 && options.level_count <= kLevelCount,
          "level_count is out of range");
  require(kLevels[options.level_count - 1] <= padded_dims,
          "a level has more bits than the embeddings have dimensions");
  const size_t most_lists = lists == nullptr ? std::min<size_t>(rows, kMaxLists) : kMaxLists;
  require(options.lists > 0 && options.lists <= most_lists, "the number of lists is out of range");
  require(lists == nullptr || (lists->lists() == options.lists && lists->dims == padded_dims),
          "the given lists do not match the number of lists or the dimensions");
  require(options.groups > 0 && options.groups <= std::min<size_t>(options.lists, kMaxGroups),
          "the number of groups is out of range");
  require(options.outer_groups > 0 && options.outer_groups <= options.groups,
          "the number of outer groups is out of range");
  require(options.method == CodecMethod::kTrained || options.lists == 1, "a rotation has one list");
  require(options.threads > 0, "at least one thread is needed");
}

}  // namespace

std::shared_ptr<const Codec> train(const float* sample, size_t rows, const TrainingOptions& options,
                                   ListCenters* lists, Progress& progress) {
  check(rows, options, lists);
  if (options.dims >= kLevel64Directions) {
    return Trainer({sample, rows, options.dims}, options, progress).run(lists);
  }
  std::vector<float> padded(rows * kLevel64Directions, 0.0f);
  for (size_t r = 0; r < rows; ++r) {
    std::copy_n(sample + r * options.dims, options.dims, &padded[r * kLevel64Directions]);
  }
  return Trainer({padded.data(), rows, kLevel64Directions}, options, progress).run(lists);
}

}  // namespace corvid
