// GemmTile::transpose by AVX. Included by avx2.cc and avx512.cc within their target regions, so
// that each compiles it for its instruction set.

// In blocks of 4 x 8.
void transpose(const float* from, size_t stride, size_t depth, float* to, size_t width) {
  size_t d = 0;
  for (; d + 8 <= depth; d += 8) {
    const __m256 row0 = _mm256_loadu_ps(from + d), row1 = _mm256_loadu_ps(from + stride + d);
    const __m256 row2 = _mm256_loadu_ps(from + 2 * stride + d);
    const __m256 row3 = _mm256_loadu_ps(from + 3 * stride + d);
    const __m256 low01 = _mm256_unpacklo_ps(row0, row1), high01 = _mm256_unpackhi_ps(row0, row1);
    const __m256 low23 = _mm256_unpacklo_ps(row2, row3), high23 = _mm256_unpackhi_ps(row2, row3);
    // The lower half of columns[i] is column d + i, the upper one column d + i + 4.
    const __m256 columns[4] = {
        _mm256_shuffle_ps(low01, low23, 0x44), _mm256_shuffle_ps(low01, low23, 0xEE),
        _mm256_shuffle_ps(high01, high23, 0x44), _mm256_shuffle_ps(high01, high23, 0xEE)};
    CORVID_UNROLL(4)
    for (size_t i = 0; i < 4; ++i) {
      _mm_storeu_ps(to + (d + i) * width, _mm256_castps256_ps128(columns[i]));
      _mm_storeu_ps(to + (d + i + 4) * width, _mm256_extractf128_ps(columns[i], 1));
    }
  }
  for (; d < depth; ++d) {
    for (size_t r = 0; r < 4; ++r) to[d * width + r] = from[r * stride + d];
  }
}
