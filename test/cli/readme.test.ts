// slow: runs every example of the README.
//
// The examples of README.md, run unchanged and in order, as a user would.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { withFigures } from '../../bench/readme.js';
import { npyHeader } from '../../src/formats/npy.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const examples = [...readme.matchAll(/```js\n(.*?)```/gs)].map((match) => match[1] as string);

t.test('every example runs', async (t) => {
  // Below the package, so that `import 'corvid'` is the package itself, as for a dependent.
  const folder = mkdtempSync(join(root, 'dist', 'readme-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'test', 'fixtures'), { recursive: true });
  const pictures = join('test', 'fixtures', 'pictures');
  cpSync(join(root, pictures), join(folder, pictures), { recursive: true });
  t.ok(examples.length >= 4, 'the examples were found');
  // A file that an example expects.
  const codes = Buffer.from(Uint8Array.from({ length: 100 * 16 }, (_, i) => (i * 37) % 251));
  writeFileSync(join(folder, 'codes.npy'), Buffer.concat([npyHeader('u8', 100, 16), codes]));
  for (const [i, code] of examples.entries()) {
    const file = join(folder, `example-${i + 1}.mjs`);
    writeFileSync(file, code);
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 120_000,
    });
    t.equal(status, 0, `example ${i + 1}: ${stderr}`);
    t.not(stdout.trim(), '', 'it prints what it found');
    t.equal(stderr, '', 'and nothing else');
  }
});

t.test('the figures come from the records', async (t) => {
  t.equal(withFigures(readme), readme, 'else run: npm run bench -- readme');
});

t.test('files that the README links to exist', async (t) => {
  for (const [, target = ''] of readme.matchAll(/\]\(([\w./-]+)\)/g)) {
    t.doesNotThrow(() => readFileSync(join(root, target)), `${target} in ${dirname('README.md')}`);
  }
});
