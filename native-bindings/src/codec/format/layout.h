// Layout of the data of a codec file, FileKind::kCodec. FORMAT.md describes the same layout.
//
// A head of fixed size, then sections; each starts at a multiple of 64 bytes, and the head holds
// its offset. All directions and centers are bytes with a scale each. Training rounds them before
// it uses them, so training, encoding and queries work with exactly the same values. "In panels"
// is the layout of PanelSpan (codec/format/panels.h).
#ifndef CORVID_CODEC_FORMAT_LAYOUT_H_
#define CORVID_CODEC_FORMAT_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "io/format.h"
#include "simd/contract.h"

namespace corvid {

constexpr size_t kCorners = kTableEntries;  // of a block; one nibble of a code selects one
constexpr size_t kGains = 256;
constexpr size_t kEncodeSweeps = 4;  // of Loops::improve_cosine, for a row or a query
constexpr uint32_t kMaxGroups = 65535;

enum class CodecMethod : uint32_t { kTrained = 1, kRotation = 2 };

// One level of the code.
struct CodecLevel {
  uint32_t bits;                // of the code up to this level: 64, 128, 256, 512
  uint32_t added_bits;          // of these, the level's own: 64, 64, 128, 256
  uint64_t coordinates_offset;  // outer_groups x added_bits CodedCoordinate; 0 at level 64
  float norm_low;               // what norm byte 0 stands for; this and the next are 0 at level 64
  float norm_step;              // between one norm byte and the next
  float typical_cosine;         // geometric mean of cos(x, x̂) over the training rows
  float cosine_power;           // see divisor_of in codec/encode/residual.h
};
static_assert(sizeof(CodecLevel) == 32 && std::is_trivially_copyable_v<CodecLevel>);

// What one bit of a residual level codes: a coordinate of what is left, in the basis of the outer
// group. A column is coded at most once by a level; later levels may code it again.
struct CodedCoordinate {
  uint32_t column;  // of the basis
  float deviation;  // the encoder divides by it
  float weight;     // of its error, when the encoder chooses the level's bits
  float step;       // a window's value times this is decoded
};
static_assert(sizeof(CodedCoordinate) == 16 && std::is_trivially_copyable_v<CodedCoordinate>);

// What a scan needs of a list.
struct ListRecord {
  uint16_t group;          // its group at level 64
  uint16_t outer_group;    // its group at residual levels
  float norm_squared;      // ‖µ + c‖²
  float projection_scale;  // Qᵀ(µ + c) = projection_scale * projection
  float residual_scale;    // at level 64: x̂ = µ + c + residual_scale * Σ corners; > 0
  int8_t projection[kLevel64Directions];
};
static_assert(sizeof(ListRecord) == 80 && std::is_trivially_copyable_v<ListRecord>);

struct CodecHead {
  uint32_t head_bytes;   // sizeof(CodecHead)
  uint32_t method;       // CodecMethod
  uint32_t dims;         // of the caller's embeddings
  uint32_t padded_dims;  // max(dims, 64)
  uint32_t lists;
  uint32_t groups;        // of lists, at level 64
  uint32_t outer_groups;  // of lists, at residual levels; fewer, for their residuals differ less
  uint32_t level_count;   // 1..4
  uint32_t routing_dims;  // padded_dims, or less: then there is a routing projection
  uint32_t reserved;      // 0
  uint64_t seed;
  uint64_t training_rows;
  float mean_norm;                     // root mean square of ‖x̂‖ at level 64
  uint32_t reserved_2;                 // 0
  uint64_t mean_offset;                // padded_dims floats: µ
  uint64_t list_records_offset;        // lists x ListRecord
  uint64_t list_centers_offset;        // lists x padded_dims int8: µ + c ...
  uint64_t center_scales_offset;       // lists floats: ... divided by this
  uint64_t routing_vectors_offset;     // lists vectors of routing_dims in panels: unit (µ + c)
  uint64_t routing_projection_offset;  // routing_dims vectors of padded_dims in panels; 0 if none
  uint64_t vector_steps_offset;        // dims floats: int8 vectors are (x − µ) / step
  uint64_t directions_offset;          // groups x 64 vectors of padded_dims in panels: Q
  uint64_t corners_offset;             // groups x 4 x 16 x 16 floats: coordinate, block, corner
  uint64_t corner_norms_offset;        // groups x 16 x 16 floats: squared lengths
  uint64_t basis_offset;               // outer_groups x basis_columns vectors in panels: V
  uint64_t gains_offset;               // 256 floats: what a gain byte stands for
  uint32_t basis_columns;          // 0 if there are no residual levels; then V and gains are none
  uint32_t reserved_3;             // 0
  CodecLevel levels[kLevelCount];  // level_count of them, the rest zero
  uint8_t reserved_4[88];          // 0
};
static_assert(sizeof(CodecHead) == 384 && std::is_trivially_copyable_v<CodecHead>);

// Sets the offset of every section from the sizes in `head` (dims, lists, groups, levels' bits ...)
// and returns the total size in bytes. A reader compares a file's offsets with these. Sizes must be
// within the limits of io/format.h, so that nothing overflows.
uint64_t place_sections(CodecHead* head);

}  // namespace corvid

#endif  // CORVID_CODEC_FORMAT_LAYOUT_H_
