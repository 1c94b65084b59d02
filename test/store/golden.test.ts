// Indexes of every format ever released still open and still answer the same.
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { verifyIndex } from '../../src/store/verify.js';
import { answersOf } from '../golden/answers.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const golden = join(root, 'test', 'golden');
const names = readdirSync(golden, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

t.ok(names.includes('format-1'), 'the first format is kept');
for (const name of names) {
  t.test(`${name} opens and answers as it did`, async (t) => {
    const path = join(t.testdir(), name);
    cpSync(join(golden, name), path, { recursive: true });
    t.strictSame((await verifyIndex(path)).faults, []);
    const expected = JSON.parse(readFileSync(join(golden, `${name}.json`), 'utf8'));
    t.strictSame(JSON.parse(JSON.stringify(await answersOf(path))), expected);
  });
}
