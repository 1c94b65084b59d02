// Decodes codes and int8 vectors to embeddings of unit length.
#include <algorithm>
#include <cmath>
#include <vector>

#include "codec/query/query.h"
#include "simd/trellis_values.h"

namespace corvid {
namespace {

void write_unit(const Codec& codec, const std::vector<float>& x, float* out) {
  const float length = std::sqrt(kernels().dot(x.data(), x.data(), x.size()));
  for (size_t d = 0; d < codec.dims(); ++d) out[d] = length > 0 ? x[d] / length : x[d];
}

// x += Σ values[i] · direction i
void add_directions(const PanelSpan& directions, const std::vector<float>& values,
                    std::vector<float>* x) {
  std::vector<float> direction(x->size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] == 0) continue;
    directions.read(i, direction.size(), direction.data());
    for (size_t d = 0; d < x->size(); ++d) (*x)[d] += values[i] * direction[d];
  }
}

}  // namespace

void decode_row(const Codec& codec, uint32_t list, const RowCode& code, size_t levels, float* out) {
  const size_t dims = codec.padded_dims();
  const ListRecord& record = codec.list_records()[list];
  std::vector<float> x(dims);
  codec.read_center(list, x.data());

  const float* corners = codec.corners(record.group);
  std::vector<float> values(kLevel64Directions);
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t block = i / kBlockDirections, d = i % kBlockDirections;
    const size_t corner = code.records[0][block / 2] >> (block % 2 * 4) & 15;
    values[i] = record.residual_scale * corners[(d * kTables + block) * kCorners + corner];
  }
  add_directions(codec.directions(record.group), values, &x);
  if (levels > 1) {
    std::vector<float> coded(codec.head().basis_columns, 0.0f);
    const float gain = codec.gains()[code.records[1][codec.level_code_bytes(1)]];
    for (size_t level = 1; level < levels; ++level) {
      const CodedCoordinate* coordinates = codec.coordinates(record.outer_group, level);
      size_t window = 0;
      for (size_t i = 0; i < codec.head().levels[level].added_bits; ++i) {
        window = window >> 1 | (code.records[level][i / 8] >> i % 8 & 1u) << 5;
        const float value = kTrellisUnit * static_cast<float>(kTrellisValues[window]);
        coded[coordinates[i].column] += gain * coordinates[i].step * value;
      }
    }
    add_directions(codec.basis(record.outer_group), coded, &x);
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
