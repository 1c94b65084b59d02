// Makes the golden index of the current format. See README.md before running it.
//
// usage: node dist/test/golden/make.js
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeIndex } from '../store/fixture.js';
import { answersOf } from './answers.js';

const FORMAT = 1;
const ROWS = 200;

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const path = join(root, 'test', 'golden', `format-${FORMAT}`);
rmSync(path, { recursive: true, force: true });
const codecSize = { lists: 6, groups: 1, outerGroups: 1 };
await makeIndex(path, ROWS, { removed: [7], codecSize });
rmSync(join(path, 'write.lock'));
writeFileSync(`${path}.json`, `${JSON.stringify(await answersOf(path))}\n`);
