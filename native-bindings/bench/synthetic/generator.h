// The synthetic collection: unit vectors with a distribution like that of CLIP image embeddings.
// Each row is a function of its number and the seed only.
//
// A row is a leaf of a tree of topics. At every level a hash picks a branch, and a hash of the path
// so far picks the branch's offset in space. Offsets shrink from level to level, so that distances
// between neighbours shrink as rows are added, as in a fractal. Branches have unequal shares of the
// rows, and each scales everything below it by its tightness. The rows of a shot share the first
// levels of their paths. The offsets are added to a mean; the sum is normalised to unit length and
// rounded to float16, as collections of embeddings are often stored.
//
// Row numbers: every 65,536 rows are an epoch, with a separate set of shots, in shuffled order. Of
// each epoch, 256 rows are held out of the collection as queries; they are distributed like the
// others.
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

  // Rows [first, first + count) as float16. Numbers below kFirstHeldOut are rows of the collection;
  // from there on they are held-out rows, kHeldOutRows for every kCollectedRows of the collection.
  // out: count x kSyntheticDims.
  void halves(uint64_t first, size_t count, uint16_t* out) const;
  // The same rows as float32: the float16 values, normalised to unit length again.
  void floats(uint64_t first, size_t count, float* out) const;

 private:
  struct Place {
    uint64_t shot;
    uint64_t frame;  // of the shot
  };
  struct Level {
    float weight;  // of one pool row
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
  uint32_t copied_below_;            // a shot's rows are copies if 16 bits of a hash are below this
  float copied_tightness_;
  uint32_t shots_;                 // of an epoch
  std::vector<uint16_t> shot_of_;  // by position in the epoch
  std::vector<uint16_t> frame_of_;
};

}  // namespace corvid

#endif  // CORVID_BENCH_SYNTHETIC_GENERATOR_H_
