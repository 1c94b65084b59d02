// slow: builds an index on every instruction set.
//
// An index does not depend on the instruction set that made it: built once per level of this
// machine, each in a process of its own, every file has the same bytes, and gives the same answers.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { native } from '../../src/native/addon.js';
import { clusteredVectors, writeNpy } from '../indexer/vector-files.js';

// More dimensions than one sum of gemm_nt has terms, and neither they nor the rows fill whole tiles.
const DIMS = 300;
const ROWS = 2500;
const buildChild = fileURLToPath(new URL('../indexer/build-child.js', import.meta.url));
const answersChild = fileURLToPath(new URL('../query/answers.js', import.meta.url));

/** Every file of an index by its path in it. */
function filesOf(index: string): Map<string, Buffer> {
  const paths = readdirSync(index, { recursive: true })
    .map(String)
    .filter((path) => statSync(join(index, path)).isFile())
    .sort();
  return new Map(paths.map((path) => [path, readFileSync(join(index, path))]));
}

t.test('every instruction set builds the same index, byte for byte', async (t) => {
  const dir = t.testdir({});
  const vectors = clusteredVectors(ROWS, DIMS, 3);
  const source = join(dir, 'v.npy');
  writeNpy(source, vectors, DIMS);
  const queries = JSON.stringify(
    [3, 700, 2100].map((row) => [...vectors.subarray(row * DIMS, (row + 1) * DIMS)]),
  );
  const levels = native.simdLevels();
  t.ok(levels.includes('scalar'));
  const built = levels.map((simd) => {
    const env = { ...process.env, CORVID_SIMD: simd };
    const out = join(dir, `${simd}.corvid`);
    const options = { sources: [source], out, seed: 5, lists: 50, groups: 3, vectors: 'int8' };
    execFileSync(process.execPath, [buildChild, JSON.stringify(options)], { env });
    const output = execFileSync(process.execPath, [answersChild, out, queries], { env });
    const { simd: used, answers } = JSON.parse(output.toString());
    t.equal(used, simd, `${simd} was used`);
    return { simd, files: filesOf(out), answers };
  });
  const first = built[0] as (typeof built)[number];
  const names = [...first.files.keys()];
  for (const kind of ['codec-', 'plane-64.bin', 'plane-256.bin', 'vectors.i8', 'lists.bin']) {
    t.ok(
      names.some((name) => name.includes(kind)),
      `there is a ${kind}`,
    );
  }
  for (const { simd, files, answers } of built) {
    t.same([...files.keys()], names, `${simd}: the same files`);
    for (const [name, bytes] of files) {
      t.ok(first.files.get(name)?.equals(bytes), `${simd}: ${name} as by ${first.simd}`);
    }
    t.same(answers, first.answers, `${simd}: the same answers`);
  }
});
