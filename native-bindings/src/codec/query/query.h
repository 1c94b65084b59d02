// One query against a codec: the tables with which lists are scanned, and the scores by which rows
// are refined.
//
// Inner products are integers (codec/query/quantized_query.h); the rest is plain multiplies and
// adds in a fixed order, so every instruction set gives the same bits. A QueryContext belongs to
// one thread. What is expensive (Qᵀq per group, tables per group and level) is computed once per
// query, when it is first needed.
#ifndef CORVID_CODEC_QUERY_QUERY_H_
#define CORVID_CODEC_QUERY_QUERY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/format/codec.h"
#include "codec/query/quantized_query.h"
#include "simd/contract.h"

namespace corvid {

// The tables that scan one list. The score of a row is base + scale * sum, one multiply and one add
// in float, where sum = Σ over j of bytes[16 * j + nibble j of the row] (simd/contract.h,
// scan_tables).
struct ScanTables {
  alignas(64) uint8_t bytes[kTables * kTableEntries];
  float base;
  float scale;  // > 0
};

// The code of one row, as stored in the planes. records[i] points to the row's record of level i:
// for level 64, 8 code bytes, byte b with block 2b in its low nibble and block 2b + 1 in its high
// one; for a residual level, its code bytes (simd/contract.h, trellis_dot), then at level 128 the
// row's gain byte, then a norm byte.
struct RowCode {
  const uint8_t* records[kLevelCount];
};

// The codes of up to kLanes rows of one list. Byte b of row r's record of level 64 is
// first[b * kLanes + r]; records[r][i] is its record of level i, from 1 on.
struct RowCodes {
  size_t count = 0;
  uint8_t first[kPlane64Bytes * kLanes] = {};
  const uint8_t* records[kLanes][kLevelCount];
};

class QueryContext {
 public:
  // The codec must outlive the context.
  explicit QueryContext(const Codec& codec);
  ~QueryContext();
  QueryContext(const QueryContext&) = delete;
  QueryContext& operator=(const QueryContext&) = delete;

  // Sets the query: codec.dims() finite components of unit length; copied. Must come before any
  // other call. Memory is reused from query to query: allocating it costs a fifth of a small
  // search.
  void set(const float* query);

  const Codec& codec() const { return codec_; }
  // The query: codec().dims() floats.
  const float* values() const { return query_.data(); }

  // ⟨q, µ + c⟩ of a list.
  float list_product(uint32_t list);

  // Prefetches what the next calls for `list` will read.
  void fetch_list(uint32_t list) const;

  // Tables of the folded cosine (docs/internals/codec.md): a − (t/2)·n with a = ⟨q, x̂⟩, n = ‖x̂‖²
  // and t = norm_weight. At the threshold θ = t·√n it equals θ·√n / 2. `list` < codec.lists().
  void build_tables(uint32_t list, float norm_weight, ScanTables* out);

  // Tables of bit counts against the query's own code in this list: base 0, scale 1 and
  // sum = 64 − Hamming distance.
  void build_hamming_tables(uint32_t list, ScanTables* out);

  // Estimated cosines of rows of `list` by the first `levels` levels, 1 .. codec.level_count():
  // writes rows.count values of ⟨q, x̂⟩ / norm to `out`. Reads the records of these levels.
  // Cheapest when rows of the same list are scored consecutively.
  void score(uint32_t list, const RowCodes& rows, size_t levels, float* out);

  // The norms that `score` divides by: ‖x̂‖ at level 64, divisor_of (codec/encode/residual.h) at
  // residual levels.
  void norms(uint32_t list, const RowCodes& rows, size_t levels, float* out);

  // Estimated cosine of a row by its stored int8 vector of codec.dims() components.
  float score_vector(const int8_t* vector);

 private:
  // A cached value's query number; the value is stale for any other query. take() returns whether
  // it must be computed for query `now`, and marks it as current.
  struct Known {
    uint32_t query = 0;
    bool take(uint32_t now) {
      if (query == now) return false;
      query = now;
      return true;
    }
  };
  // The query in one outer group's basis. A residual level adds gain * scale * trellis_dot(code, z,
  // bits) to ⟨q, x̂⟩.
  struct ResidualQuery {
    Known known_projection, known[kLevelCount];
    std::vector<float> projection;  // Vᵀq
    std::vector<int16_t> z[kLevelCount];
    float scales[kLevelCount];
  };

  const float* projection(uint32_t group);
  const float* tables(uint32_t group);
  const ResidualQuery& residual(uint32_t outer_group, size_t level);
  // What the levels above 64 add to ⟨q, x̂⟩ of a row.
  float residual_product(uint32_t outer_group, const uint8_t* const* records, size_t levels);

  const Codec& codec_;
  uint32_t number_ = 0;       // query number: 1, 2, …
  std::vector<float> query_;  // padded_dims
  QuantizedQuery quantized_;
  Known known_steps_;
  QuantizedQuery quantized_steps_;  // q·step, for int8 vectors
  float mean_product_ = 0;          // ⟨q, µ⟩, with quantized_steps_
  // Per group of level 64, computed when first needed: Qᵀq, and ⟨Q_jᵀq, corner_jv⟩.
  std::vector<Known> known_projections_, known_tables_;
  std::vector<float> projections_;       // groups x 64
  std::vector<float> tables_;            // groups x 16 x 16
  std::vector<ResidualQuery> residual_;  // per outer group
  uint32_t last_list_ = UINT32_MAX;      // the list of last_product_
  float last_product_ = 0;
  uint32_t norms_list_ = UINT32_MAX;      // the list of norms_; valid for any query
  float norms_[kTables * kTableEntries];  // what each corner adds to ‖x̂‖² in that list
};

// Writes x̂ / ‖x̂‖, by the first `levels` levels of a row's code: codec.dims() floats.
void decode_row(const Codec& codec, uint32_t list, const RowCode& code, size_t levels, float* out);

// Writes the embedding that an int8 vector stands for, at unit length: codec.dims() floats.
void decode_vector(const Codec& codec, const int8_t* vector, float* out);

}  // namespace corvid

#endif  // CORVID_CODEC_QUERY_QUERY_H_
