// panel_products for NEON. Bytes of rows are at most 127, so they can be multiplied as signed
// bytes, and a sum of two products fits 16 bits. Included by neon.cc.

// kRows rows by four vectors of a panel.
template <size_t kRows>
CORVID_INLINE void panel_block(const uint8_t* rows, size_t depth, const int8_t* panel,
                               const int32_t* start, int32_t* out, size_t stride) {
  int32x4_t sums[kRows];
  CORVID_UNROLL(8)
  for (size_t r = 0; r < kRows; ++r) sums[r] = vld1q_s32(start);
  for (size_t d = 0; d < depth; d += 4) {
    const int8x16_t vectors = vld1q_s8(panel + d * kPanelVectors);
    CORVID_UNROLL(8)
    for (size_t r = 0; r < kRows; ++r) {
      int32_t four;
      memcpy(&four, rows + r * depth + d, 4);
      const int8x16_t row = vreinterpretq_s8_s32(vdupq_n_s32(four));
      const int16x8_t first = vmull_s8(vget_low_s8(row), vget_low_s8(vectors));
      const int16x8_t second = vmull_high_s8(row, vectors);
      sums[r] = vpadalq_s16(sums[r], vpaddq_s16(first, second));
    }
  }
  CORVID_UNROLL(8)
  for (size_t r = 0; r < kRows; ++r) vst1q_s32(out + r * stride, sums[r]);
}

void panel_products(const uint8_t* rows, size_t row_count, size_t depth, const int8_t* panels,
                    size_t panel_count, const int32_t* start, int32_t* out) {
  const size_t stride = panel_count * kPanelVectors;
  for (size_t quarter = 0; quarter < panel_count * 4; ++quarter) {
    // A panel interleaves its vectors four bytes at a time, so four vectors are sixteen consecutive
    // bytes of every 64.
    const int8_t* four_vectors = panels + quarter / 4 * depth * kPanelVectors + quarter % 4 * 16;
    const int32_t* from = start + quarter * 4;
    int32_t* to = out + quarter * 4;
    size_t r = 0;
    for (; r + 4 <= row_count; r += 4) {
      panel_block<4>(rows + r * depth, depth, four_vectors, from, to + r * stride, stride);
    }
    for (; r < row_count; ++r) {
      panel_block<1>(rows + r * depth, depth, four_vectors, from, to + r * stride, stride);
    }
  }
}
