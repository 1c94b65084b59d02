// The loops of one level against loops_reference.h, bit by bit: random lengths, every output in
// memory that ends at a forbidden page and starts out the same on both sides.
#ifndef CORVID_TEST_LOOPS_CHECKS_H_
#define CORVID_TEST_LOOPS_CHECKS_H_

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "loops_reference.h"
#include "memory.h"
#include "simd/contract.h"

namespace corvid {

// Two buffers of the same random contents, one for each side.
template <typename T>
class Pair {
 public:
  explicit Pair(size_t count) : count_(count), a_(count * sizeof(T)), b_(count * sizeof(T)) {
    if constexpr (sizeof(T) == sizeof(float) && std::is_floating_point_v<T>) {
      fill_floats(a_.template as<T>(), count);
    } else if constexpr (std::is_floating_point_v<T>) {
      for (size_t i = 0; i < count; ++i) expected()[i] = std::ldexp(double(generator()), -64) - 0.5;
    }
    std::memcpy(b_.data(), a_.data(), count * sizeof(T));
  }
  T* expected() const { return a_.template as<T>(); }
  T* actual() const { return b_.template as<T>(); }
  bool same() const { return std::memcmp(a_.data(), b_.data(), count_ * sizeof(T)) == 0; }

 private:
  size_t count_;
  Fenced a_, b_;
};

// Numbers that both sides only read.
inline std::unique_ptr<Fenced> floats(size_t count) {
  auto memory = std::make_unique<Fenced>(count * sizeof(float));
  fill_floats(memory->as<float>(), count);
  return memory;
}
inline float any() {
  float value;
  fill_floats(&value, 1);
  return value;
}
inline bool same_bits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }
inline bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

inline bool measures_vectors_alike(const Loops& loops) {
  for (int round = 0; round < 1500; ++round) {
    const size_t count = 1 + pick(300);
    const auto memory = floats(count);
    const float* x = memory->as<float>();
    if (!same_bits(reference::squared_norm(x, count), loops.squared_norm(x, count))) return false;
    if (!same_bits(reference::largest_size(x, count), loops.largest_size(x, count))) return false;
    const Extremes expected = reference::extremes(x, count), actual = loops.extremes(x, count);
    if (!same_bits(expected.least, actual.least)) return false;
    if (!same_bits(expected.largest, actual.largest)) return false;
    Pair<float> scaled(count);
    const double factor = any();
    reference::scale(scaled.expected(), count, factor);
    loops.scale(scaled.actual(), count, factor);
    const size_t columns = 1 + pick(count);
    Pair<float> maxima(columns);
    reference::column_maxima(x, count, columns, maxima.expected());
    loops.column_maxima(x, count, columns, maxima.actual());
    if (!scaled.same() || !maxima.same()) return false;
  }
  return loops.largest_size(nullptr, 0) == 0;
}

inline bool finds_numbers_alike(const Loops& loops) {
  for (int round = 0; round < 1500; ++round) {
    const size_t count = 1 + pick(100);
    const auto memory = floats(count), sixteen = floats(kLanes);
    float* x = memory->as<float>();
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const float odd[] = {0, kInfinity, -kInfinity, std::nanf(""),
                         std::numeric_limits<float>::max()};
    x[pick(count)] = odd[pick(5)];
    if (reference::all_finite(x, count) != loops.all_finite(x, count)) return false;
    float* y = sixteen->as<float>();
    for (size_t i = 0; i < pick(16); ++i) y[pick(16)] = y[pick(16)];  // equal ones
    const size_t rank = 1 + pick(kLanes);
    if (!same_bits(reference::ranked(y, rank), loops.ranked(y, rank))) return false;
  }
  return true;
}

inline bool adds_rows_alike(const Loops& loops) {
  for (int round = 0; round < 1000; ++round) {
    const size_t count = pick(90);
    const Pair<double> x(count), z(count), y(count), w(count);
    const double s = any(), t = any();
    if (!same_bits(reference::dot_f64(x.expected(), z.expected(), count),
                   loops.dot_f64(x.expected(), z.expected(), count))) {
      return false;
    }
    reference::add_scaled_f64(y.expected(), s, x.expected(), count);
    loops.add_scaled_f64(y.actual(), s, x.expected(), count);
    reference::add_two_scaled_f64(w.expected(), s, x.expected(), t, z.expected(), count);
    loops.add_two_scaled_f64(w.actual(), s, x.expected(), t, z.expected(), count);
    const Pair<float> a(count), b(count);
    const float cosine = any(), sine = any();
    reference::rotate(a.expected(), b.expected(), cosine, sine, count);
    loops.rotate(a.actual(), b.actual(), cosine, sine, count);
    if (!y.same() || !w.same() || !a.same() || !b.same()) return false;
  }
  for (int round = 0; round < 60; ++round) {
    const size_t parts = 1 + pick(4), count = pick(9), sums = 1 + pick(5), pool = 1 + pick(6);
    const size_t apart = pool * kPartNumbers, dims = parts * kPartNumbers;
    const auto start = floats(dims), values = floats(parts * apart);
    std::vector<WeightedRow> rows;
    for (size_t i = 0; i < sums * count; ++i) {
      rows.push_back({values->as<float>() + pick(pool) * kPartNumbers, any()});
    }
    const Pair<float> out(sums * dims);
    reference::add_weighted_rows(start->as<float>(), rows.data(), count, apart, sums, dims,
                                 out.expected());
    loops.add_weighted_rows(start->as<float>(), rows.data(), count, apart, sums, dims,
                            out.actual());
    if (!out.same()) return false;
  }
  return true;
}

inline bool rounds_alike(const Loops& loops) {
  for (int round = 0; round < 1500; ++round) {
    const size_t count = 1 + pick(200);
    const auto memory = floats(count);
    const float* x = memory->as<float>();
    const float largest = reference::largest_size(x, count);
    const Pair<uint8_t> bytes(count);
    reference::floats_to_bytes(x, count, 63 / largest, 64.5f, bytes.expected());
    loops.floats_to_bytes(x, count, 63 / largest, 64.5f, bytes.actual());
    const Pair<float> numbers(count);
    const auto* some_bytes = reinterpret_cast<const int8_t*>(bytes.expected());
    reference::bytes_to_floats(some_bytes, x[0], count, numbers.expected());
    loops.bytes_to_floats(some_bytes, x[0], count, numbers.actual());
    const Pair<int8_t> coarse(count), fine(count);
    const float inverse = (63 * kCoarseUnit + 63) / largest;
    reference::split_coarse_fine(x, count, inverse, coarse.expected(), fine.expected());
    loops.split_coarse_fine(x, count, inverse, coarse.actual(), fine.actual());
    if (!bytes.same() || !numbers.same() || !coarse.same() || !fine.same()) return false;
  }
  return true;
}

inline bool scales_products_alike(const Loops& loops) {
  for (int round = 0; round < 1000; ++round) {
    const size_t count = pick(100), width = kLanes * pick(9);
    const Pair<int32_t> a(count), b(count), c(width);
    const auto scales = floats(count), wide_scales = floats(width), half_norms = floats(width);
    const float scale = any();
    const Pair<float> scaled(count), joined(count), scores(width), largest(kLanes);
    reference::scale_products(a.actual(), scales->as<float>(), scale, count, scaled.expected());
    loops.scale_products(a.actual(), scales->as<float>(), scale, count, scaled.actual());
    reference::join_products(a.actual(), b.actual(), scales->as<float>(), scale, count,
                             joined.expected());
    loops.join_products(a.actual(), b.actual(), scales->as<float>(), scale, count, joined.actual());
    reference::score_products(c.actual(), scale, wide_scales->as<float>(), half_norms->as<float>(),
                              width, scores.expected(), largest.expected());
    loops.score_products(c.actual(), scale, wide_scales->as<float>(), half_norms->as<float>(),
                         width, scores.actual(), largest.actual());
    if (!scaled.same() || !joined.same() || !scores.same() || !largest.same()) return false;

    const size_t vectors = 1 + pick(40), apart = vectors + pick(5), stride = kLanes * (1 + pick(3));
    const size_t rows = pick(3) == 0 ? 1 + pick(kLanes) : kLanes;
    const Pair<int32_t> products((kLanes - 1) * apart + vectors);
    const auto row_scales = floats(kLanes), of_vectors = floats(vectors), start = floats(vectors);
    const float* from = pick(2) == 0 ? nullptr : start->as<float>();
    const Pair<float> lanes((vectors - 1) * stride + rows);
    reference::products_to_lanes(products.actual(), apart, row_scales->as<float>(),
                                 of_vectors->as<float>(), from, vectors, rows, lanes.expected(),
                                 stride);
    loops.products_to_lanes(products.actual(), apart, row_scales->as<float>(),
                            of_vectors->as<float>(), from, vectors, rows, lanes.actual(), stride);
    if (!lanes.same()) return false;
  }
  return true;
}

// Corners as trained ones are: their squared lengths belong to them.
struct SomeCorners {
  std::unique_ptr<Fenced> coordinates = floats(kLevel64Directions * kTableEntries);
  std::unique_ptr<Fenced> norms = floats(kTables * kTableEntries);
  SomeCorners() {
    for (size_t i = 0; i < kTables * kTableEntries; ++i) {
      float& norm = norms->as<float>()[i];
      norm = 0;
      for (size_t d = 0; d < kBlockDirections; ++d) {
        const float x = coordinates->as<float>()[d * kTables * kTableEntries + i];
        norm += x * x;
      }
    }
  }
  Corners view() const { return {coordinates->as<float>(), norms->as<float>()}; }
};

inline bool chooses_corners_alike(const Loops& loops) {
  for (int round = 0; round < 60; ++round) {
    const SomeCorners corners;
    const size_t stride = kLanes * (1 + pick(4)), size = kLevel64Directions * stride;
    const auto x = floats(size), base = floats(size), z = floats(size);
    const Pair<uint8_t> codes(kTables * stride);
    reference::nearest_corners(corners.view(), z->as<float>(), stride, codes.expected());
    loops.nearest_corners(corners.view(), z->as<float>(), stride, codes.actual());
    if (!codes.same()) return false;
    const Pair<float> products(stride), norms(stride);
    for (size_t r = 0; r < stride; ++r) {
      products.expected()[r] = products.actual()[r] = any() * 4;
      norms.expected()[r] = norms.actual()[r] = 80 + any();  // ‖base‖² of 64 normal numbers
    }
    const size_t sweeps = pick(5);
    const float *xs = x->as<float>(), *bases = base->as<float>();
    reference::improve_cosine(corners.view(), {xs, bases, products.expected(), norms.expected()},
                              stride, sweeps, codes.expected());
    loops.improve_cosine(corners.view(), {xs, bases, products.actual(), norms.actual()}, stride,
                         sweeps, codes.actual());
    if (!codes.same() || !products.same() || !norms.same()) return false;
  }
  return true;
}

inline bool prepares_trials_alike(const Loops& loops) {
  for (int round = 0; round < 200; ++round) {
    const size_t columns = kLanes * (1 + pick(3)), stride = kLanes * (1 + pick(3));
    const size_t size = (kLevel64Directions - 1) * stride + kLanes;
    const auto projected = floats(kLevel64Directions * columns), inverses = floats(kLanes);
    const Pair<int8_t> bytes(kLanes * kLevel64Directions);
    TrialBases bases;
    uint32_t places[kLanes];
    for (size_t i = 0; i < kLanes; ++i) {
      bases.projections[i] = bytes.actual() + i * kLevel64Directions;
      bases.scales[i] = any();
      places[i] = static_cast<uint32_t>(pick(columns));
    }
    const Pair<float> x(size), base(size), z(size);
    reference::trial_lanes(projected->as<float>(), columns, places, inverses->as<float>(), bases,
                           {x.expected(), base.expected(), z.expected()}, stride);
    loops.trial_lanes(projected->as<float>(), columns, places, inverses->as<float>(), bases,
                      {x.actual(), base.actual(), z.actual()}, stride);
    const Pair<float> lanes((kLevel64Directions - 1) * stride + kLanes);
    reference::bytes_to_lanes(bases.projections, bases.scales, kLevel64Directions, lanes.expected(),
                              stride);
    loops.bytes_to_lanes(bases.projections, bases.scales, kLevel64Directions, lanes.actual(),
                         stride);
    if (!x.same() || !base.same() || !z.same() || !lanes.same()) return false;
  }
  return true;
}

inline bool encodes_residuals_alike(const Loops& loops) {
  for (int round = 0; round < 60; ++round) {
    const size_t count = 1 + pick(80), stride = kLanes * (1 + pick(3)), size = count * stride;
    const auto coded = floats(stride), y = floats(stride), start = floats(stride);
    const float inverse = any();
    const Pair<float> targets(stride), coordinates(stride);
    reference::residual_targets(y->as<float>(), coded->as<float>(), inverse, stride,
                                targets.expected());
    loops.residual_targets(y->as<float>(), coded->as<float>(), inverse, stride, targets.actual());
    reference::subtract_and_scale(start->as<float>(), y->as<float>(), stride,
                                  coordinates.expected());
    loops.subtract_and_scale(start->as<float>(), y->as<float>(), stride, coordinates.actual());
    if (!targets.same() || !coordinates.same()) return false;

    const auto all_targets = floats(size), weights = floats(count), values = floats(64);
    for (size_t i = 0; i < count; ++i) weights->as<float>()[i] = std::fabs(any());
    const Pair<uint8_t> windows(size);
    std::vector<int32_t> scratch(count * kLanes);
    reference::best_windows(all_targets->as<float>(), weights->as<float>(), count, stride,
                            windows.expected(), scratch.data());
    loops.best_windows(all_targets->as<float>(), weights->as<float>(), count, stride,
                       windows.actual(), scratch.data());
    if (!windows.same()) return false;
    const Pair<float> sums(stride), y_products(stride), start_products(stride), squares(stride);
    reference::add_coded_column(
        windows.expected(), values->as<float>(), y->as<float>(), start->as<float>(), stride,
        sums.expected(), {y_products.expected(), start_products.expected(), squares.expected()});
    loops.add_coded_column(windows.expected(), values->as<float>(), y->as<float>(),
                           start->as<float>(), stride, sums.actual(),
                           {y_products.actual(), start_products.actual(), squares.actual()});
    if (!sums.same() || !y_products.same() || !start_products.same() || !squares.same()) {
      return false;
    }
  }
  return true;
}

inline bool fills_tables_alike(const Loops& loops) {
  for (int round = 0; round < 300; ++round) {
    const SomeCorners corners;
    const auto q = floats(kLevel64Directions);
    const Pair<int8_t> projection(kLevel64Directions);
    const Pair<float> w(kLevel64Directions), lows(kTables);
    const float scale = 0.5f + std::fabs(any()), center_weight = any() / 100;
    reference::weigh_directions(q->as<float>(), projection.actual(), scale, center_weight,
                                w.expected());
    loops.weigh_directions(q->as<float>(), projection.actual(), scale, center_weight, w.actual());
    TableBounds bounds;
    for (size_t j = 0; j < kTables; ++j) {
      const float* norms = corners.norms->as<float>() + j * kTableEntries;
      bounds.largest_norm[j] = reference::extremes(norms, kTableEntries).largest;
      bounds.smallest_norm[j] = reference::extremes(norms, kTableEntries).least;
      for (size_t d = 0; d < kBlockDirections; ++d) {
        bounds.reach[j * kBlockDirections + d] =
            reference::largest_size(corners.view().coordinate(d, j), kTableEntries);
      }
    }
    const float half_weight = std::fabs(any());
    const float widest =
        reference::bound_tables(bounds, w.expected(), half_weight, lows.expected());
    const float same_widest = loops.bound_tables(bounds, w.expected(), half_weight, lows.actual());
    if (!w.same() || !lows.same() || !same_bits(widest, same_widest)) return false;
    const Pair<uint8_t> bytes(kTables * kTableEntries);
    reference::fill_byte_tables(corners.view(), w.expected(), half_weight, lows.expected(),
                                255 / widest, bytes.expected());
    loops.fill_byte_tables(corners.view(), w.expected(), half_weight, lows.expected(), 255 / widest,
                           bytes.actual());
    const Pair<float> products(kTables * kTableEntries), norms(kTables * kTableEntries);
    reference::fill_products(corners.view(), w.expected(), products.expected());
    loops.fill_products(corners.view(), w.expected(), products.actual());
    reference::fill_norms(corners.view(), projection.actual(), scale, center_weight,
                          norms.expected());
    loops.fill_norms(corners.view(), projection.actual(), scale, center_weight, norms.actual());
    if (!bytes.same() || !products.same() || !norms.same()) return false;
  }
  return true;
}

struct LoopsCheck {
  const char* name;
  bool (*run)(const Loops& loops);
};
constexpr LoopsCheck kLoopsChecks[] = {
    {"loops: lengths and extremes", measures_vectors_alike},
    {"loops: all_finite, ranked", finds_numbers_alike},
    {"loops: sums of rows", adds_rows_alike},
    {"loops: numbers to bytes and back", rounds_alike},
    {"loops: integer products to floats", scales_products_alike},
    {"loops: corners", chooses_corners_alike},
    {"loops: trials", prepares_trials_alike},
    {"loops: residuals", encodes_residuals_alike},
    {"loops: tables of a query", fills_tables_alike},
};

}  // namespace corvid

#endif  // CORVID_TEST_LOOPS_CHECKS_H_
