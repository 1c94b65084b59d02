// Float32 to IEEE half precision, round to nearest even. The way back is native.toUnit.

const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);

/** @returns the halves' bits, values.length of them; values beyond ±65504 become infinite */
export function toHalf(values: Float32Array): Uint16Array {
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) halves[i] = halfBits(values[i] as number);
  return halves;
}

function halfBits(value: number): number {
  floats[0] = value;
  const word = bits[0] as number;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude >= 0x47800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  if (magnitude < 0x38800000) {
    // Below 2^-14 halves are multiples of 2^-24. Adding 1 x 2^-1 in float32 rounds to just those.
    floats[0] = Math.abs(value) + 0.5;
    return sign | ((bits[0] as number) - 0x3f000000);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}
