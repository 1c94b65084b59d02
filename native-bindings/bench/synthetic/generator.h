// The synthetic collection: unit vectors that are spread through space as CLIP's embeddings of
// images are, each a function of its number and the seed alone.
//
// A row lies at the end of a path through a tree of topics: at every level a hash picks a branch,
// and the branch (a hash of the path so far) an offset in space, smaller from level to level, so
// that neighbours come nearer as a fractal's would when rows are added. Branches have uneven
// shares, and everything below one is scaled by its tightness. The rows of a shot share the first
// levels of their path. All offsets are added to a mean and the sum is brought to unit length, then
// rounded to half floats, as collections of embeddings are kept.
//
// Numbers: every 65,536 rows are an epoch with its own shots, in an order that is shuffled within
// it. Of an epoch, 256 rows are held out of the collection, to be queries: they lie among the rest
// as any other row does.
#ifndef CORVID_BENCH_SYNTHETIC_GENERATOR_H_
#define CORVID_BENCH_SYNTHETIC_GENERATOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "bench/synthetic/pool.h"
#include "bench/synthetic/shape.h"

namespace corvid {

constexpr uint64_t kEpochRows = 65536;
constexpr uint64_t kHeldOutRows = 256;                          // of each epoch
constexpr uint64_t kCollectedRows = kEpochRows - kHeldOutRows;  // of each epoch
constexpr uint64_t kFirstHeldOut = uint64_t{1} << 48;           // number of the first held-out row

class SyntheticGenerator {
 public:
  SyntheticGenerator(const SyntheticShape& shape, uint64_t seed);
  SyntheticGenerator(const SyntheticGenerator&) = delete;
  SyntheticGenerator& operator=(const SyntheticGenerator&) = delete;

  // Rows first .. first + count: below kFirstHeldOut the collection's; from there on the held-out
  // ones, kHeldOutRows for every kCollectedRows of the collection. out: count x kSyntheticDims.
  void halves(uint64_t first, size_t count, uint16_t* out) const;
  // The same rows as anyone reads them who brings the halves to unit length again.
  void floats(uint64_t first, size_t count, float* out) const;

 private:
  struct Place {
    uint64_t shot;
    uint64_t frame;  // of the shot
  };
  struct Level {
    float weight;  // of one row of the pool
    const VectorPool* pool;
    std::vector<uint8_t> branch;   // by 12 bits of a hash
    std::vector<float> tightness;  // by 8 bits of a hash
  };

  Place place(uint64_t number) const;
  void terms_of(uint64_t number, WeightedRow* terms) const;
  void generate(uint64_t first, size_t count, float* out) const;

  uint64_t seed_;
  std::vector<VectorPool> pools_;
  std::vector<float> mean_;
  std::vector<Level> levels_;
  float row_weight_;
  std::vector<uint8_t> shot_depth_;  // by 8 bits of a hash
  uint32_t copied_below_;            // 16 bits of a hash below this: the shot's rows are copies
  float copied_tightness_;
  uint32_t shots_;                 // of an epoch
  std::vector<uint16_t> shot_of_;  // by place within the epoch
  std::vector<uint16_t> frame_of_;
};

}  // namespace corvid

#endif  // CORVID_BENCH_SYNTHETIC_GENERATOR_H_
