// One query against a codec: the tables that scan lists, the scores that refine rows.
//
// Products are integers (quantized_query.h), the rest plain multiplies and adds in a fixed
// order, so every instruction set gives the same bits. A QueryContext belongs to one thread; what
// is expensive (Qᵀq per group, tables per group and level) is computed once, when first needed.
#ifndef CORVID_CODEC_QUERY_QUERY_H_
#define CORVID_CODEC_QUERY_QUERY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/format/codec.h"
#include "codec/query/quantized_query.h"
#include "simd/contract.h"

namespace corvid {

// What scans one list. Score of a row = base + scale * sum, one multiply and one add in float,
// where sum = Σ over j of bytes[16 * j + nibble j of the row] (simd/contract.h, scan_tables).
struct ScanTables {
  alignas(64) uint8_t bytes[kTables * kTableEntries];
  float base;
  float scale;  // > 0
};

// The code of one row, as the planes hold it. records[i] points to the row's record of level i:
// 8 code bytes for level 64, byte b with block 2b in its low nibble and block 2b + 1 in its high
// one; for a residual level its code bytes (simd/contract.h, trellis_dot), at level 128 the row's
// gain byte, and a norm byte.
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

  // Turns to another query: codec.dims() finite numbers, unit length; copied. Memory is reused, for
  // making it anew would cost a fifth of a small search. Comes before anything else.
  void set(const float* query);

  const Codec& codec() const { return codec_; }
  // codec().dims() numbers.
  const float* values() const { return query_.data(); }

  // ⟨q, µ + c⟩ of a list.
  float list_product(uint32_t list);

  // Brings near what the next calls for `list` will read.
  void fetch_list(uint32_t list) const;

  // Tables of the folded cosine (docs/internals/codec.md): a − (t/2)·n with a = ⟨q, x̂⟩, n = ‖x̂‖²
  // and t = norm_weight. At the threshold θ = t·√n it equals θ·√n / 2. `list` < codec.lists().
  void build_tables(uint32_t list, float norm_weight, ScanTables* out);

  // Tables of bit counts against the query's own code in this list: base 0, scale 1 and
  // sum = 64 − Hamming distance.
  void build_hamming_tables(uint32_t list, ScanTables* out);

  // Estimated cosines of rows of `list` by the first `levels` levels, 1 .. codec.level_count():
  // ⟨q, x̂⟩ / norm, rows.count of them into `out`. Reads the records of these levels.
  // Rows come cheapest when those of one list follow one another.
  void score(uint32_t list, const RowCodes& rows, size_t levels, float* out);

  // What `score` divides by: ‖x̂‖, for residual levels changed a little (codec/encode/residual.h).
  void norms(uint32_t list, const RowCodes& rows, size_t levels, float* out);

  // Cosine of a row by its stored int8 vector of codec.dims() numbers.
  float score_vector(const int8_t* vector);

 private:
  // What is known for the query of the number in `query`; of any other it is out of date.
  struct Known {
    uint32_t query = 0;
    bool take(uint32_t now) {
      if (query == now) return false;
      query = now;
      return true;
    }
  };
  // What the bits of the residual levels stand for in one outer group: the score of a level is
  // scale * trellis_dot(code, z, bits).
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
  uint32_t number_ = 0;       // of the query: 1, 2, …
  std::vector<float> query_;  // padded_dims
  QuantizedQuery quantized_;
  Known known_steps_;
  QuantizedQuery quantized_steps_;  // q·step, for int8 vectors
  float mean_product_ = 0;          // ⟨q, µ⟩, with quantized_steps_
  // Of all groups of level 64, each known when it is needed: Qᵀq, and ⟨Q_jᵀq, corner_jv⟩.
  std::vector<Known> known_projections_, known_tables_;
  std::vector<float> projections_;       // groups x 64
  std::vector<float> tables_;            // groups x 16 x 16
  std::vector<ResidualQuery> residual_;  // per outer group
  uint32_t last_list_ = UINT32_MAX;      // the list that list_product was last asked for
  float last_product_ = 0;
  uint32_t norms_list_ = UINT32_MAX;      // the list that norms_ is of, whatever the query
  float norms_[kTables * kTableEntries];  // what each corner adds to ‖x̂‖² in it
};

// x̂ / ‖x̂‖ of a row from the first `levels` levels of its code: codec.dims() numbers into `out`.
void decode_row(const Codec& codec, uint32_t list, const RowCode& code, size_t levels, float* out);

// The embedding that an int8 vector stands for, of unit length: codec.dims() numbers into `out`.
void decode_vector(const Codec& codec, const int8_t* vector, float* out);

}  // namespace corvid

#endif  // CORVID_CODEC_QUERY_QUERY_H_
