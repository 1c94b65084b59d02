// A decoder in plain TypeScript: reads a codec file by FORMAT.md alone.
//
// It is slow and simple and uses no native code, so that tests can compare native code with the
// document.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HEADER_BYTES = 64;
const RECORD_BYTES = 80;
const COORDINATE_BYTES = 16;
const LEVEL_BYTES = 32;

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** The values of the 64 windows, from the document. */
export const WINDOW_VALUES: readonly number[] = (() => {
  const text = readFileSync(join(root, 'FORMAT.md'), 'utf8');
  const block = /in 64ths:\n\n```\n([^`]*)```/.exec(text)?.[1] ?? '';
  return block
    .trim()
    .split(/\s+/)
    .map((value) => Number(value) / 64);
})();

export interface Level {
  bits: number;
  added: number;
  normLow: number;
  normStep: number;
  typicalCosine: number;
  cosinePower: number;
}

export interface Coordinate {
  column: number;
  deviation: number;
  weight: number;
  step: number;
}

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
};
export const cosine = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

/** The number of block `block`'s corner in a row's 8 bytes of level 64. */
export const cornerOf = (bytes: Uint8Array, block: number): number =>
  ((bytes[block >> 1] ?? 0) >> (4 * (block & 1))) & 15;

export class CodecOracle {
  readonly #data: Buffer;
  readonly dims: number;
  readonly columns: number;
  readonly #matrices = new Map<string, number[][]>();

  constructor(path: string) {
    this.#data = readFileSync(path).subarray(HEADER_BYTES);
    this.dims = this.#data.readUInt32LE(8);
    this.columns = this.#data.readUInt32LE(160);
  }

  level(index: number): Level {
    const start = 168 + LEVEL_BYTES * index;
    return {
      bits: this.#data.readUInt32LE(start),
      added: this.#data.readUInt32LE(start + 4),
      normLow: this.#data.readFloatLE(start + 16),
      normStep: this.#data.readFloatLE(start + 20),
      typicalCosine: this.#data.readFloatLE(start + 24),
      cosinePower: this.#data.readFloatLE(start + 28),
    };
  }

  group(list: number): number {
    return this.#data.readUInt16LE(this.#offset(72) + list * RECORD_BYTES);
  }
  outerGroup(list: number): number {
    return this.#data.readUInt16LE(this.#offset(72) + list * RECORD_BYTES + 2);
  }
  scale(list: number): number {
    return this.#data.readFloatLE(this.#offset(72) + list * RECORD_BYTES + 12);
  }
  mean(d: number): number {
    return this.#data.readFloatLE(this.#offset(64) + 4 * d);
  }
  vectorStep(d: number): number {
    return this.#data.readFloatLE(this.#offset(112) + 4 * d);
  }
  gain(byte: number): number {
    return this.#data.readFloatLE(this.#offset(152) + 4 * byte);
  }

  /** µ + c of a list. */
  center(list: number): number[] {
    const scale = this.#data.readFloatLE(this.#offset(88) + 4 * list);
    const start = this.#offset(80) + list * this.dims;
    return Array.from({ length: this.dims }, (_, d) => scale * this.#data.readInt8(start + d));
  }

  /** The 64 directions of level 64 in a group, one per row. */
  directions(group: number): number[][] {
    return this.#panels(this.#offset(120), group, 64);
  }
  /** The columns of an outer group's basis, one per row. */
  basis(outerGroup: number): number[][] {
    return this.#panels(this.#offset(144), outerGroup, this.columns);
  }

  corner(group: number, block: number, v: number): number[] {
    const start = this.#offset(128) + 4 * group * 4 * 16 * 16;
    return [0, 1, 2, 3].map((d) => this.#data.readFloatLE(start + 4 * ((d * 16 + block) * 16 + v)));
  }

  coordinates(outerGroup: number, index: number): Coordinate[] {
    const { added } = this.level(index);
    const section = this.#offset(168 + LEVEL_BYTES * index + 8);
    return Array.from({ length: added }, (_, i) => {
      const start = section + COORDINATE_BYTES * (outerGroup * added + i);
      return {
        column: this.#data.readUInt32LE(start),
        deviation: this.#data.readFloatLE(start + 4),
        weight: this.#data.readFloatLE(start + 8),
        step: this.#data.readFloatLE(start + 12),
      };
    });
  }

  /** x̂ of level 64. */
  decode64(list: number, bytes: Uint8Array): number[] {
    const group = this.group(list);
    const directions = this.directions(group);
    const out = this.center(list);
    for (let block = 0; block < 16; block++) {
      this.corner(group, block, cornerOf(bytes, block)).forEach((value, i) => {
        addScaled(out, directions[4 * block + i] ?? [], this.scale(list) * value);
      });
    }
    return out;
  }

  /** What code bytes of a residual level add to `a`, coordinates in the basis. */
  addLevel(a: readonly number[], index: number, list: number, bytes: Uint8Array): number[] {
    const out = [...a];
    const windows = windowsOf(bytes, this.level(index).added);
    this.coordinates(this.outerGroup(list), index).forEach(({ column, step }, i) => {
      out[column] = (out[column] ?? 0) + step * (WINDOW_VALUES[windows[i] ?? 0] ?? 0);
    });
    return out;
  }

  /** x̂64 + gain · V · a. */
  decode(list: number, first: readonly number[], gain: number, a: readonly number[]): number[] {
    const out = [...first];
    const basis = this.basis(this.outerGroup(list));
    a.forEach((value, column) => {
      addScaled(out, basis[column] ?? [], gain * value);
    });
    return out;
  }

  /** Set `number` of several sets of `count` vectors in panels. */
  #panels(section: number, number: number, count: number): number[][] {
    const name = `${section} ${number}`;
    const known = this.#matrices.get(name);
    if (known) return known;
    const width = 16 * Math.ceil(count / 16);
    const depth = 4 * Math.ceil(this.dims / 4);
    const start = section + number * width * (depth + 8);
    const made = Array.from({ length: count }, (_, v) => {
      const scale = this.#data.readFloatLE(start + width * depth + 4 * v);
      return Array.from({ length: this.dims }, (_, d) => {
        const step = (v >> 4) * depth + 4 * (d >> 2);
        return scale * this.#data.readInt8(start + 16 * step + 4 * (v & 15) + (d & 3));
      });
    });
    this.#matrices.set(name, made);
    return made;
  }

  #offset(position: number): number {
    return Number(this.#data.readBigUInt64LE(position));
  }
}

/** The windows that a level's code bytes hold. */
export function windowsOf(bytes: Uint8Array, count: number): number[] {
  const bit = (i: number) => (i < 0 ? 0 : ((bytes[i >> 3] ?? 0) >> (i & 7)) & 1);
  return Array.from({ length: count }, (_, i) =>
    [0, 1, 2, 3, 4, 5].reduce((sum, j) => sum + bit(i - 5 + j) * 2 ** j, 0),
  );
}

/** The least Σ weight · (target − value of window)² over all ways to choose the bits. */
export function leastCost(targets: readonly number[], weights: readonly number[]): number {
  let costs = Array.from({ length: 32 }, (_, state) => (state === 0 ? 0 : Infinity));
  targets.forEach((target, i) => {
    const next = new Array<number>(32).fill(Infinity);
    for (let window = 0; window < 64; window++) {
      const error = target - (WINDOW_VALUES[window] ?? 0);
      const cost = (costs[window & 31] ?? Infinity) + (weights[i] ?? 0) * error * error;
      next[window >> 1] = Math.min(next[window >> 1] ?? Infinity, cost);
    }
    costs = next;
  });
  return Math.min(...costs);
}

function addScaled(to: number[], values: readonly number[], factor: number): void {
  for (let d = 0; d < to.length; d++) to[d] = (to[d] ?? 0) + factor * (values[d] ?? 0);
}
