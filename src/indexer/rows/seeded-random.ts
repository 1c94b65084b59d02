// Random numbers that repeat for a seed: SplitMix64, 53 bits of each step (Steele et al., 2014).

const GOLDEN = 0x9e3779b97f4a7c15n;
const MASK = 0xffffffffffffffffn;

/** @returns a generator of numbers in [0, 1) */
export function seededRandom(seed: number): () => number {
  let state = BigInt(seed) & MASK;
  return () => {
    state = (state + GOLDEN) & MASK;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
    return Number((z ^ (z >> 31n)) >> 11n) / 2 ** 53;
  };
}
