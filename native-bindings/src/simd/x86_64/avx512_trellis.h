// trellis_dot with VBMI: one instruction extracts eight windows from each lane's sixteen bits, and
// one looks up all 64 values. Included by avx512.cc within its target region.

int32_t trellis_dot(const uint8_t* code, const int16_t* z, size_t bits) {
  // Lane j of 64 bits serves coordinates 8 j ... 8 j + 7: byte j of the code and the one before it.
  const __m512i pairs =
      _mm512_setr_epi64(0x0100, 0x0201, 0x0302, 0x0403, 0x0504, 0x0605, 0x0706, 0x0807);
  const __m512i shifts = _mm512_set1_epi64(0x0A09080706050403);
  const __m512i values = _mm512_load_si512(kTrellisValues);
  __m512i sums = _mm512_setzero_si512();
  for (size_t i = 0; i < bits; i += 64) {
    const __mmask16 present = i == 0 ? 0x1FE : 0x1FF;  // no byte lies before the first
    const __m128i bytes = _mm_maskz_loadu_epi8(present, code + i / 8 - 1);
    const __m512i lanes = _mm512_permutexvar_epi8(pairs, _mm512_castsi128_si512(bytes));
    const __m512i windows = _mm512_multishift_epi64_epi8(shifts, lanes);
    const __m512i found = _mm512_permutexvar_epi8(windows, values);
    const __m512i first = _mm512_cvtepi8_epi16(_mm512_castsi512_si256(found));
    const __m512i last = _mm512_cvtepi8_epi16(_mm512_extracti64x4_epi64(found, 1));
    sums = _mm512_dpwssd_epi32(sums, first, _mm512_loadu_si512(z + i));
    sums = _mm512_dpwssd_epi32(sums, last, _mm512_loadu_si512(z + i + 32));
  }
  return _mm512_reduce_add_epi32(sums);
}
