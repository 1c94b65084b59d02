// panel_products with VNNI: the sums of a block of rows by a block of panels stay in registers, one
// register per row and panel. Included by avx512.cc within its target region.

template <size_t kRows, size_t kPanels>
CORVID_INLINE void panel_block(const uint8_t* rows, size_t depth, const int8_t* panels,
                               const int32_t* start, int32_t* out, size_t stride) {
  __m512i sums[kRows][kPanels];
  CORVID_UNROLL(8)
  for (size_t p = 0; p < kPanels; ++p) {
    sums[0][p] = _mm512_loadu_si512(start + p * kPanelVectors);
    CORVID_UNROLL(8)
    for (size_t r = 1; r < kRows; ++r) sums[r][p] = sums[0][p];
  }
  for (size_t d = 0; d < depth; d += 4) {
    __m512i vectors[kPanels];
    CORVID_UNROLL(8)
    for (size_t p = 0; p < kPanels; ++p) {
      vectors[p] = _mm512_loadu_si512(panels + (p * depth + d) * kPanelVectors);
    }
    CORVID_UNROLL(8)
    for (size_t r = 0; r < kRows; ++r) {
      int32_t four;
      memcpy(&four, rows + r * depth + d, 4);
      const __m512i row = _mm512_set1_epi32(four);
      CORVID_UNROLL(8)
      for (size_t p = 0; p < kPanels; ++p) {
        sums[r][p] = _mm512_dpbusd_epi32(sums[r][p], row, vectors[p]);
      }
    }
  }
  CORVID_UNROLL(8)
  for (size_t r = 0; r < kRows; ++r) {
    CORVID_UNROLL(8)
    for (size_t p = 0; p < kPanels; ++p) {
      _mm512_storeu_si512(out + r * stride + p * kPanelVectors, sums[r][p]);
    }
  }
}

void panel_products(const uint8_t* rows, size_t row_count, size_t depth, const int8_t* panels,
                    size_t panel_count, const int32_t* start, int32_t* out) {
  const size_t stride = panel_count * kPanelVectors;
  size_t p = 0;
  for (; p + 4 <= panel_count; p += 4) {
    const int8_t* block = panels + p * depth * kPanelVectors;
    const int32_t* from = start + p * kPanelVectors;
    int32_t* to = out + p * kPanelVectors;
    size_t r = 0;
    for (; r + 6 <= row_count; r += 6) {
      panel_block<6, 4>(rows + r * depth, depth, block, from, to + r * stride, stride);
    }
    for (; r + 2 <= row_count; r += 2) {
      panel_block<2, 4>(rows + r * depth, depth, block, from, to + r * stride, stride);
    }
    if (r < row_count) {
      panel_block<1, 4>(rows + r * depth, depth, block, from, to + r * stride, stride);
    }
  }
  for (; p < panel_count; ++p) {
    for (size_t r = 0; r < row_count; ++r) {
      panel_block<1, 1>(rows + r * depth, depth, panels + p * depth * kPanelVectors,
                        start + p * kPanelVectors, out + r * stride + p * kPanelVectors, stride);
    }
  }
}
