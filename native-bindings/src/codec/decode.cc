// Codes and int8 vectors back to embeddings.
#include <algorithm>
#include <cmath>
#include <vector>

#include "codec/query.h"

namespace corvid {
namespace {

void write_unit(const Codec& codec, const std::vector<float>& x, float* out) {
  const float length = std::sqrt(kernels().dot(x.data(), x.data(), x.size()));
  for (size_t d = 0; d < codec.dims(); ++d) out[d] = length > 0 ? x[d] / length : x[d];
}

}  // namespace

void decode_row(const Codec& codec, uint32_t list, const RowCode& code, size_t levels, float* out) {
  const size_t dims = codec.padded_dims();
  std::vector<float> x(dims), directions, values;
  kernels().half_to_float(codec.list_centers() + list * dims, x.data(), dims);
  for (size_t level = 0; level < levels; ++level) {
    const size_t bits = codec.head().levels[level].added_bits;
    const uint32_t group = codec.group_of(list, level);
    const float* coordinates = codec.corners(group, level);
    const float scale = level == 0 ? codec.list_records()[list].residual_scale : 1.0f;
    values.resize(bits);
    for (size_t i = 0; i < bits; ++i) {
      const size_t block = i / kBlockDirections, d = i % kBlockDirections;
      const size_t corner = code.records[level][block / 2] >> (block % 2 * 4) & 15;
      values[i] = scale * coordinates[(d * (bits / kBlockDirections) + block) * kCorners + corner];
    }
    directions.resize(dims * bits);
    kernels().half_to_float(codec.directions(group, level), directions.data(), dims * bits);
    for (size_t d = 0; d < dims; ++d) {
      x[d] += kernels().dot(values.data(), &directions[d * bits], bits);
    }
  }
  write_unit(codec, x, out);
}

void decode_vector(const Codec& codec, const int8_t* vector, float* out) {
  std::vector<float> x(codec.dims());
  for (size_t d = 0; d < codec.dims(); ++d) {
    x[d] = codec.mean()[d] + codec.vector_steps()[d] * static_cast<float>(vector[d]);
  }
  write_unit(codec, x, out);
}

}  // namespace corvid
