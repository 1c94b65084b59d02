#include "codec/assign.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "codec/eigen.h"
#include "codec/matrix.h"
#include "codec/wide.h"
#include "kernels.h"

namespace corvid {
namespace {

// With fewer lists, comparing all of them costs less than projecting first.
constexpr size_t kMinProjectedLists = 256;
// Dimensions of the projection, and how many lists it hands on to be compared exactly.
constexpr size_t kCoarseDims = 64;
constexpr size_t kShortlist = 16;
// Rows whose products with all lists are held at once.
constexpr size_t kChunkRows = 256;

struct Scored {
  float score;
  uint32_t list;
};
bool better(const Scored& a, const Scored& b) {
  return a.score != b.score ? a.score > b.score : a.list < b.list;
}

// The best of a row of scores so far, best first.
class BestLists {
 public:
  explicit BestLists(size_t count) : best_(count) {}
  void clear() { held_ = 0; }
  size_t size() const { return best_.size(); }
  void add(const Scored& candidate) {
    if (held_ == best_.size() && !better(candidate, best_.back())) return;
    size_t place = held_ < best_.size() ? held_++ : held_ - 1;
    for (; place > 0 && better(candidate, best_[place - 1]); --place) {
      best_[place] = best_[place - 1];
    }
    best_[place] = candidate;
  }
  const Scored& operator[](size_t i) const { return best_[i]; }

 private:
  std::vector<Scored> best_;
  size_t held_ = 0;
};

// Scores that are looked at together, as kLanes strided runs of kRunLists.
constexpr size_t kRunLists = 16;
constexpr size_t kStripLists = kRunLists * kLanes;

// Takes the bias off a strip of scores, in place, and gives the largest of every run: run i holds
// the scores i, i + kLanes, i + 2 kLanes, ...
CORVID_WIDE void settle_strip(float* scores, const float* bias, float* largest) {
  std::fill_n(largest, kLanes, -std::numeric_limits<float>::infinity());
  for (size_t v = 0; v < kRunLists; ++v) {
    for (size_t i = 0; i < kLanes; ++i) {
      const float score = scores[v * kLanes + i] - bias[v * kLanes + i];
      scores[v * kLanes + i] = score;
      largest[i] = score > largest[i] ? score : largest[i];
    }
  }
}

// The `best.size()` best of scores[l] − bias[l]; the scores are used up. Only runs whose largest
// score is among the best of the runs can hold one of them, so few scores are looked at one by one.
void find_best(float* scores, const float* bias, size_t lists, std::vector<float>& largest,
               BestLists& best) {
  const size_t strips = lists / kStripLists, runs = strips * kLanes;
  best.clear();
  float threshold = -std::numeric_limits<float>::infinity();
  if (runs > best.size()) {
    largest.resize(2 * runs);
    for (size_t s = 0; s < strips; ++s) {
      settle_strip(scores + s * kStripLists, bias + s * kStripLists, &largest[s * kLanes]);
    }
    std::copy_n(largest.begin(), runs, largest.begin() + runs);
    const auto rank = largest.begin() + runs + best.size() - 1;
    std::nth_element(largest.begin() + runs, rank, largest.end(), std::greater<float>());
    threshold = *rank;
    for (size_t run = 0; run < runs; ++run) {
      if (largest[run] < threshold) continue;
      const size_t first = run / kLanes * kStripLists + run % kLanes;
      for (size_t list = first; list < first + kStripLists; list += kLanes) {
        if (scores[list] >= threshold) best.add({scores[list], static_cast<uint32_t>(list)});
      }
    }
  }
  for (size_t list = runs > best.size() ? strips * kStripLists : 0; list < lists; ++list) {
    best.add({scores[list] - bias[list], static_cast<uint32_t>(list)});
  }
}

}  // namespace

ListAssigner::ListAssigner(const Codec& codec)
    : dims_(codec.padded_dims()),
      lists_(codec.lists()),
      candidate_count_(std::min(kCandidateLists, lists_)),
      shortlist_count_(std::min(kShortlist, lists_)),
      coarse_dims_(dims_),
      centers_(lists_ * dims_),
      half_norms_(lists_) {
  kernels().half_to_float(codec.list_centers(), centers_.data(), centers_.size());
  for (size_t list = 0; list < lists_; ++list) {
    half_norms_[list] = codec.list_records()[list].norm_squared / 2;
  }
  coarse_ = centers_;
  coarse_bias_ = half_norms_;
  if (lists_ < kMinProjectedLists || dims_ <= kCoarseDims) return;

  // Differences between lists lie in few directions: the principal ones of their centers about µ.
  std::vector<float> centered = centers_;
  for (size_t list = 0; list < lists_; ++list) {
    for (size_t d = 0; d < dims_; ++d) centered[list * dims_ + d] -= codec.mean()[d];
  }
  std::vector<float> products(dims_ * dims_, 0.0f);
  add_outer_products(centered.data(), lists_, dims_, products.data());
  projection_ = symmetric_eigen(products.data(), dims_).vectors;
  coarse_dims_ = kCoarseDims;
  projection_.resize(coarse_dims_ * dims_);
  coarse_.resize(lists_ * coarse_dims_);
  kernels().gemm_nt(lists_, coarse_dims_, dims_, centered.data(), dims_, projection_.data(), dims_,
                    coarse_.data(), coarse_dims_, false);
  // ⟨x − µ, c⟩ − ‖c‖² / 2 with ⟨x − µ, c⟩ by its projection: the part of µ is a constant per list.
  std::vector<float> projected_mean(coarse_dims_);
  kernels().gemm_nt(1, coarse_dims_, dims_, codec.mean(), dims_, projection_.data(), dims_,
                    projected_mean.data(), coarse_dims_, false);
  for (size_t list = 0; list < lists_; ++list) {
    coarse_bias_[list] =
        squared_length(&centered[list * dims_], dims_) / 2 +
        kernels().dot(projected_mean.data(), &coarse_[list * coarse_dims_], coarse_dims_);
  }
}

void ListAssigner::shortlist(const float* x, size_t rows, uint32_t* lists) const {
  std::vector<float> projected(rows * coarse_dims_), scores(rows * lists_);
  const float* coarse = x;
  if (!projection_.empty()) {
    kernels().gemm_nt(rows, coarse_dims_, dims_, x, dims_, projection_.data(), dims_,
                      projected.data(), coarse_dims_, false);
    coarse = projected.data();
  }
  kernels().gemm_nt(rows, lists_, coarse_dims_, coarse, coarse_dims_, coarse_.data(), coarse_dims_,
                    scores.data(), lists_, false);
  BestLists best(shortlist_count_);
  std::vector<float> largest;
  for (size_t r = 0; r < rows; ++r) {
    find_best(&scores[r * lists_], coarse_bias_.data(), lists_, largest, best);
    for (size_t i = 0; i < shortlist_count_; ++i) lists[r * shortlist_count_ + i] = best[i].list;
  }
}

void ListAssigner::candidates(const float* x, size_t rows, uint32_t* lists, float* products) const {
  std::vector<uint32_t> shortlists(kChunkRows * shortlist_count_);
  BestLists best(candidate_count_);
  for (size_t first = 0; first < rows; first += kChunkRows) {
    const size_t count = std::min(kChunkRows, rows - first);
    shortlist(x + first * dims_, count, shortlists.data());
    for (size_t r = 0; r < count; ++r) {
      const uint32_t* own = &shortlists[r * shortlist_count_];
      const float* row = x + (first + r) * dims_;
      best.clear();
      for (size_t i = 0; i < shortlist_count_; ++i) {
        best.add({kernels().dot(row, center(own[i]), dims_) - half_norms_[own[i]], own[i]});
      }
      for (size_t i = 0; i < candidate_count_; ++i) {
        const uint32_t list = best[i].list;
        lists[(first + r) * candidate_count_ + i] = list;
        products[(first + r) * candidate_count_ + i] = best[i].score + half_norms_[list];
      }
    }
  }
}

}  // namespace corvid
