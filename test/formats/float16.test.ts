// Every half survives the way to float and back, and what lies between goes to the nearest.
import t from 'tap';
import { toFloat16 } from '../../src/formats/float16.js';

function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

t.test('every half comes back as itself', async (t) => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const back = toFloat16(Float32Array.from(all, halfToFloat));
  const wrong = all.filter((half) => back[half] !== half && !Number.isNaN(halfToFloat(half)));
  t.same(Array.from(wrong), []);
});

t.test('numbers between two halves go to the nearest, ties to the even one', async (t) => {
  let wrong = 0;
  for (let half = 0; half < 0x7bff; half++) {
    const low = halfToFloat(half);
    const high = halfToFloat(half + 1);
    const middle = Math.fround((low + high) / 2);
    const [below, tie, above] = toFloat16(
      Float32Array.of(low + (high - low) * 0.49, middle, low + (high - low) * 0.51),
    );
    if (below !== half || above !== half + 1 || tie !== half + (half & 1)) wrong++;
  }
  t.equal(wrong, 0);
});
