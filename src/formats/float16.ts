// Float32 to IEEE half precision (float16), rounded to nearest even. native.toUnit converts back.

const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);

/** @returns the bits of values.length float16; values beyond ±65504 become infinite */
export function toFloat16(values: Float32Array): Uint16Array {
  const words = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) words[i] = float16Bits(values[i] as number);
  return words;
}

function float16Bits(value: number): number {
  floats[0] = value;
  const word = bits[0] as number;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude >= 0x47800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  if (magnitude < 0x38800000) {
    // Below 2^-14, float16 are multiples of 2^-24. Adding 2^-1 in float32 rounds to those.
    floats[0] = Math.abs(value) + 0.5;
    return sign | ((bits[0] as number) - 0x3f000000);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}
