// slow: runs the command, which loads the encoder, in child processes.
//
// The command line: stdout and stderr, exit codes, and one clear message for every error.
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { corvid, interrupted, PICTURES } from './command.js';

const folder = t.testdir({ photos: {}, empty: {} });
const photos = join(folder, 'photos');
const index = join(folder, 'photos.corvid');
const NAMES = readdirSync(PICTURES)
  .filter((name) => name.endsWith('.jpg'))
  .slice(0, 40);
const build = (...more: string[]) =>
  corvid(['build-index', photos, '--out', index, '--model', 'clip-nano', ...more]);

t.before(() => {
  for (const name of NAMES) cpSync(join(PICTURES, name), join(photos, name));
  mkdirSync(join(photos, 'deep', 'er'), { recursive: true });
  cpSync(
    join(PICTURES, 'music-string-guitar-classical.jpg'),
    join(photos, 'deep', 'er', 'my guitar.jpg'),
    {
      force: true,
    },
  );
  writeFileSync(join(photos, 'broken.jpg'), 'not a picture');
});

t.test('a dry run reports what a build would do, and changes nothing', async (t) => {
  const { status, stderr } = build('--dry-run');
  t.equal(status, 0);
  t.match(stderr, /would index: 4\d new/);
  t.throws(() => readdirSync(index), 'there is no index');
});

t.test('a build reports on stderr, and as JSON on stdout', async (t) => {
  const { status, stdout, stderr } = build('--json');
  t.equal(status, 0, stderr);
  const summary = JSON.parse(stdout);
  t.match(summary, {
    kind: 'images',
    rows: 41,
    added: 41,
    skipped: 1,
    codec: { method: 'rotation' },
    vectors: true,
  });
  t.match(stderr, /41 images → .*photos\.corvid/);
  t.match(stderr, /broken\.jpg: not an image/);
  const skipped = JSON.parse(readFileSync(join(index, 'skipped.jsonl'), 'utf8').trim());
  t.match(skipped, { path: /broken\.jpg$/, code: 'ERR_IMAGE_FORMAT' });
});

t.test('a second build embeds only new images, and removes deleted ones', async (t) => {
  const [gone = '', moved = ''] = NAMES;
  rmSync(join(photos, gone));
  renameSync(join(photos, moved), join(photos, 'renamed.jpg'));
  cpSync(join(PICTURES, 'vehicles-auto-sedan.jpg'), join(photos, 'new.jpg'));
  const { stdout } = build('--json', '--quiet');
  t.match(JSON.parse(stdout), { rows: 41, added: 1, touched: 1, removed: 1, unchanged: 39 });
});

t.test('search prints hits to stdout and statistics to stderr', async (t) => {
  const { status, stdout, stderr } = corvid(['search', index, 'a', 'guitar', '--limit', '3']);
  t.equal(status, 0, stderr);
  const lines = stdout.trimEnd().split('\n');
  t.equal(lines.length, 3);
  t.match(lines[0], /^ {2}0\.\d{3} {2}deep\/er\/my guitar\.jpg/);
  t.match(stderr, /3 of 41 · .*embed [\d.]+ · .* ms/);
  t.notOk(stdout.includes('\u001b'), 'no colours without a terminal');
});

t.test('hits can be printed as JSON, JSON lines or paths', async (t) => {
  const query = ['search', index, 'guitar', '--limit', '2'];
  const whole = JSON.parse(corvid([...query, '--json']).stdout);
  t.match(whole, { rows: 41, exact: Boolean, timings: { embedMs: Number } });
  const lines = corvid([...query, '--jsonl'])
    .stdout.trim()
    .split('\n');
  t.strictSame(
    lines.map((line) => JSON.parse(line)),
    whole.hits,
  );
  const paths = corvid([...query, '--paths'])
    .stdout.trim()
    .split('\n');
  t.equal(paths[0], join(photos, 'deep', 'er', 'my guitar.jpg'), 'a path that can be opened');
});

t.test('search takes pictures, items, weights, filters and pages', async (t) => {
  const hits = (...args: string[]) =>
    JSON.parse(corvid(['search', index, ...args, '--json']).stdout).hits as {
      id: number;
      key: string;
      score: number;
    }[];
  const guitar = join(photos, 'deep', 'er', 'my guitar.jpg');
  const byPicture = hits('--image', guitar);
  t.equal(byPicture[0]?.key, 'deep/er/my guitar.jpg');
  t.ok(Number(byPicture[0]?.score) > 0.98, 'a picture finds itself');
  const like = hits('--more', String(byPicture[0]?.id), '--limit', '5');
  t.notOk(
    like.some(({ id }) => id === byPicture[0]?.id),
    'an item is not its own neighbour',
  );
  const all = hits('animal', '--limit', '10');
  t.strictSame(hits('animal', '--limit', '4', '--offset', '3'), all.slice(3, 7));
  const filtered = hits('animal', '--where', "key like 'deep/%'", '--limit', '10');
  t.strictSame(
    filtered.map(({ key }) => key),
    ['deep/er/my guitar.jpg'],
  );
  const bar = Number(all[4]?.score);
  t.equal(hits('animal', '--min-score', String(bar), '--limit', '10').length, 5);
  t.not(hits('animal', '--image', `-1*${guitar}`)[0]?.key, 'deep/er/my guitar.jpg');
});

t.test('info and verify describe a sound index', async (t) => {
  const { stdout } = corvid(['info', index]);
  t.match(stdout, /41 images · clip-nano · 64–512 bits/);
  t.match(stdout, /plane-64/);
  t.match(JSON.parse(corvid(['info', index, '--json']).stdout), { images: 41, dims: 512 });
  const verified = corvid(['verify', index]);
  t.equal(verified.status, 0, verified.stderr);
  t.match(verified.stdout, /is sound: 41 images/);
  t.notMatch(verified.stdout, /missing/);
});

t.test('verify and info report missing planes and vectors', async (t) => {
  const shorter = join(folder, 'shorter.corvid');
  cpSync(index, shorter, { recursive: true });
  for (const name of readdirSync(join(shorter, 'segments'))) {
    rmSync(join(shorter, 'segments', name, 'plane-512.bin'));
  }
  t.match(corvid(['verify', shorter]).stdout, /missing: 512 bits/);
  t.match(corvid(['info', shorter]).stdout, /missing +512 bits/);
  t.match(JSON.parse(corvid(['verify', shorter, '--json']).stdout), {
    missingLevels: [512],
    missingVectors: false,
  });
  for (const name of readdirSync(join(shorter, 'segments'))) {
    rmSync(join(shorter, 'segments', name, 'vectors.i8'));
  }
  t.match(corvid(['verify', shorter]).stdout, /missing: int8 vectors/);
  t.match(corvid(['info', shorter]).stdout, /missing +int8 vectors/);
});

t.test('wrong usage exits with 2 and an explanation', async (t) => {
  for (const [args, message] of [
    [['search', index], /nothing to look for/],
    [['search', index, 'a dog', '--limit', 'many'], /integer/],
    [['search', index, 'a dog', '--effort', '7'], /from 0 to 1/],
    [['search', index, 'dog', '--json', '--paths'], /cannot be used with/],
    [['search', index, 'a dog -'], /ERR_QUERY/],
    [['build-index', photos], /--out/],
    [['fly'], /unknown command/],
  ] as const) {
    const { status, stdout, stderr } = corvid(args);
    t.equal(status, 2, args.join(' '));
    t.match(stderr, message);
    t.equal(stdout, '');
  }
});

t.test('an error has a code, a path and a hint, and no stack', async (t) => {
  const torn = join(folder, 'torn.corvid');
  cpSync(index, torn, { recursive: true });
  const plane = readdirSync(join(torn, 'segments')).map((n) =>
    join(torn, 'segments', n, 'plane-64.bin'),
  )[0] as string;
  truncateSync(plane, 100);
  const npy = join(folder, 'nan.npy');
  writeFileSync(npy, nanVectors());
  for (const [args, code, remedy] of [
    [['search', join(folder, 'none.corvid'), 'dog'], 'ERR_NOT_FOUND', /;/],
    [['search', photos, 'dog'], 'ERR_NOT_AN_INDEX', /;/],
    [['search', torn, 'dog'], 'ERR_FORMAT_CORRUPT', /expected .*found/],
    [['verify', torn], 'ERR_FORMAT_CORRUPT', /expected .*found/],
    [
      ['search', index, 'dog', '--model', 'no/where'],
      'ERR_MODEL_NOT_FOUND',
      /path of a\s+model folder/,
    ],
    [['search', index, 'dog', '--where', 'colour = 1'], 'ERR_WHERE', /colour/],
    [['search', index, '--image', join(folder, 'none.jpg')], 'ERR_NOT_FOUND', /none\.jpg/],
    [['search', index, '--more', '99999'], 'ERR_ITEM_NOT_FOUND', /99999/],
    [['search', index, '--more', 'key:7'], 'ERR_ITEM_NOT_FOUND', /7/],
    [['build-index', '--remove', 'nowhere', '-o', index], 'ERR_NOT_FOUND', /nowhere/],
    [
      ['build-index', join(folder, 'empty'), '-o', join(folder, 'x.corvid')],
      'ERR_SOURCE_EMPTY',
      /empty/,
    ],
    [
      ['build-index', join(folder, 'none'), '-o', join(folder, 'x.corvid')],
      'ERR_NOT_FOUND',
      /none/,
    ],
    [['build-index', npy, '-o', join(folder, 'x.corvid')], 'ERR_VECTOR_INVALID', /nan\.npy/],
    [['build-index', npy, '-o', photos], 'ERR_NOT_AN_INDEX', /photos/],
  ] as const) {
    const { status, stderr } = corvid(args);
    t.equal(status, 1, `${args.join(' ')}: ${stderr}`);
    t.match(stderr, new RegExp(`^error: ${code}: `, 'm'));
    t.match(stderr, remedy);
    t.notMatch(stderr, /^\s+at /m, 'no stack');
  }
  t.match(
    corvid(['search', photos, 'dog'], { env: { ...process.env, CORVID_DEBUG: '1' } }).stderr,
    /^\s+at /m,
  );
});

t.test('a key that looks like a number is distinguished from an item id', async (t) => {
  const file = join(folder, 'keys.jsonl');
  const rows = [3, 2, 1].map((key, i) => ({ key: `${key}`, vector: [1, i, 0, 0, 0, 0, 0, 1] }));
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'));
  const out = join(folder, 'keys.corvid');
  t.equal(corvid(['build-index', file, '--out', out]).status, 0);
  const keysBeside = (item: string) =>
    JSON.parse(corvid(['search', out, '--more', item, '--json']).stdout).hits.map(
      ({ key }: { key: string }) => key,
    );
  t.strictSame(keysBeside('2'), ['2', '3'], 'item 2 has the key 1');
  t.strictSame(keysBeside('key:2').sort(), ['1', '3']);
});

t.test('--remove takes a folder out of the index', async (t) => {
  const [dated, other] = ['dated', 'other'].map((name) => join(folder, name)) as [string, string];
  for (const path of [dated, other]) mkdirSync(path);
  const [a, b, c] = NAMES.map((name) => join(PICTURES, name)) as [string, string, string];
  cpSync(a, join(dated, '1.jpg'));
  cpSync(b, join(dated, '2.jpg'));
  cpSync(c, join(other, '3.jpg'));
  const out = join(folder, 'dated.corvid');
  corvid(['build-index', dated, other, '--out', out, '--model', 'clip-nano']);
  const { status, stderr } = corvid(['build-index', '--remove', dated, '--out', out]);
  t.equal(status, 0, stderr);
  t.match(stderr, /removed/);
  const found = JSON.parse(corvid(['search', out, 'a dog', '--json']).stdout).hits;
  t.match(found, [{ key: '3.jpg' }]);
  t.equal(found.length, 1);
});

t.test('Ctrl-C ends a build with 130; the next one resumes', async (t) => {
  const out = join(folder, 'late.corvid');
  const args = ['build-index', PICTURES, '--out', out, '--model', 'clip-nano'];
  const { status, stderr } = await interrupted(args, /embedding/);
  t.equal(status, 130, stderr);
  t.match(stderr, /run the same command again/);
  const resumed = corvid([...args, '--json', '--quiet']);
  t.match(JSON.parse(resumed.stdout), { rows: 238 });
  t.equal(corvid(['verify', out]).status, 0);
});

/** Two vectors of eight floats, the second with a NaN. */
function nanVectors(): Buffer {
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 8), }";
  const padded = `${header.padEnd(117)}\n`;
  const values = Float32Array.from({ length: 16 }, (_, i) => (i === 11 ? Number.NaN : i));
  const start = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  start.writeUInt16LE(padded.length, 8);
  return Buffer.concat([start, Buffer.from(padded, 'latin1'), Buffer.from(values.buffer)]);
}
