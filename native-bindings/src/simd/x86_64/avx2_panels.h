// panel_products for AVX2, by multiply-adds of bytes. Bytes of rows are at most 127, so a sum of
// two products fits 16 bits. Included by avx2.cc within its target region.

template <size_t kRows>
CORVID_INLINE void panel_block(const uint8_t* rows, size_t depth, const int8_t* panel,
                               const int32_t* start, int32_t* out, size_t stride) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[kRows][2];
  CORVID_UNROLL(8)
  for (size_t r = 0; r < kRows; ++r) {
    sums[r][0] = load(start);
    sums[r][1] = load(start + 8);
  }
  for (size_t d = 0; d < depth; d += 4) {
    const __m256i low = load(panel + d * kPanelVectors);
    const __m256i high = load(panel + d * kPanelVectors + 32);
    CORVID_UNROLL(8)
    for (size_t r = 0; r < kRows; ++r) {
      int32_t four;
      memcpy(&four, rows + r * depth + d, 4);
      const __m256i row = _mm256_set1_epi32(four);
      const __m256i low_pairs = _mm256_maddubs_epi16(row, low);
      const __m256i high_pairs = _mm256_maddubs_epi16(row, high);
      sums[r][0] = _mm256_add_epi32(sums[r][0], _mm256_madd_epi16(low_pairs, ones));
      sums[r][1] = _mm256_add_epi32(sums[r][1], _mm256_madd_epi16(high_pairs, ones));
    }
  }
  CORVID_UNROLL(8)
  for (size_t r = 0; r < kRows; ++r) {
    _mm256_storeu_si256((__m256i*)(out + r * stride), sums[r][0]);
    _mm256_storeu_si256((__m256i*)(out + r * stride + 8), sums[r][1]);
  }
}

void panel_products(const uint8_t* rows, size_t row_count, size_t depth, const int8_t* panels,
                    size_t panel_count, const int32_t* start, int32_t* out) {
  const size_t stride = panel_count * kPanelVectors;
  for (size_t p = 0; p < panel_count; ++p) {
    const int8_t* panel = panels + p * depth * kPanelVectors;
    const int32_t* from = start + p * kPanelVectors;
    int32_t* to = out + p * kPanelVectors;
    size_t r = 0;
    for (; r + 4 <= row_count; r += 4) {
      panel_block<4>(rows + r * depth, depth, panel, from, to + r * stride, stride);
    }
    for (; r < row_count; ++r) {
      panel_block<1>(rows + r * depth, depth, panel, from, to + r * stride, stride);
    }
  }
}
