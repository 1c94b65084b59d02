// products_i8 with VNNI, which multiplies unsigned by signed bytes: 128 is added to the bytes of
// vectors, and 128 times the sum of the row is subtracted from the result. Included by avx512.cc
// within its target region.

CORVID_INLINE void row_products(size_t count, const int8_t* vectors, const int8_t* row, size_t dims,
                                int32_t* out, size_t stride) {
  const __m512i offset = _mm512_set1_epi8((char)0x80);
  __m512i sums[4], offset_sums = _mm512_setzero_si512();
  for (size_t v = 0; v < count; ++v) sums[v] = _mm512_setzero_si512();
  for (size_t d = 0; d < dims; d += 64) {
    const __mmask64 present = dims - d >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << (dims - d)) - 1;
    const __m512i bytes = _mm512_maskz_loadu_epi8(present, row + d);
    offset_sums = _mm512_dpbusd_epi32(offset_sums, offset, bytes);
    for (size_t v = 0; v < count; ++v) {
      const __m512i vector = _mm512_maskz_loadu_epi8(present, vectors + v * dims + d);
      sums[v] = _mm512_dpbusd_epi32(sums[v], _mm512_xor_si512(vector, offset), bytes);
    }
  }
  for (size_t v = 0; v < count; ++v) {
    out[v * stride] = _mm512_reduce_add_epi32(_mm512_sub_epi32(sums[v], offset_sums));
  }
}

void products_i8(const int8_t* vectors, size_t vector_count, const int8_t* rows, size_t row_count,
                 size_t dims, int32_t* out) {
  products_i8_by(row_products, vectors, vector_count, rows, row_count, dims, out);
}
