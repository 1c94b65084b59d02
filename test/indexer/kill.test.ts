// A build that is killed at random moments, again and again, ends with the same index as one that
// was left alone, and while it is unfinished the index that was there before is whole.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import { buildIndex } from '../../src/indexer/build-index.js';
import type { BuildOptions, BuildPhase } from '../../src/indexer/options.js';
import { type IndexContent, PICTURES, readIndex } from './read-index.js';
import { clusteredVectors, seededRandom, writeNpy } from './vector-files.js';

const CHILD = resolve('dist/test/indexer/build-child.js');
const MAX_KILLS = 40;

type ChildOptions = Partial<BuildOptions> & { images: boolean; delayMs: number };

function start(options: ChildOptions): ChildProcess {
  return spawn(process.execPath, [CHILD, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Waits for the end of a build. @returns true if it ended by itself, well */
async function ended(child: ChildProcess): Promise<boolean> {
  let errors = '';
  child.stderr?.on('data', (data) => {
    errors += data;
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((done) => {
    child.on('close', (...result) => done(result));
  });
  if (signal === null && code !== 0) throw new Error(`the build failed: ${errors}`);
  return code === 0;
}

/** Kills a build once `phase` has begun, after a further `delayMs`; or not at all if it is faster. */
async function killIn(options: ChildOptions, phase: BuildPhase, delayMs: number): Promise<boolean> {
  const child = start(options);
  let seen = '';
  child.stdout?.on('data', (data) => {
    const before = seen;
    seen += data;
    if (seen.includes(`${phase}\n`) && !before.includes(`${phase}\n`)) {
      setTimeout(() => child.kill('SIGKILL'), delayMs);
    }
  });
  return ended(child);
}

/** Runs a build until it ends, killing it at random moments of random phases. */
async function runWithKills(
  t: Test,
  options: ChildOptions,
  phases: readonly BuildPhase[],
  check: () => Promise<void>,
): Promise<void> {
  const seed = Date.now();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  for (let kills = 0; kills < MAX_KILLS; kills++) {
    const phase = phases[Math.floor(random() * phases.length)] as BuildPhase;
    // The more often it was killed, the longer it is left alone, so that it ends.
    if (await killIn(options, phase, random() * (20 + 25 * kills))) {
      t.comment(`ended after ${kills} kills`);
      return;
    }
    await check();
  }
  t.ok(await ended(start(options)), 'the last run is left alone');
}

function sameContent(t: Test, found: IndexContent, expected: IndexContent): void {
  t.same(found.items, expected.items);
  t.same(found.ids, expected.ids);
  t.equal(found.nextId, expected.nextId);
  t.equal(found.method, expected.method);
  const wrong = expected.ids.filter((id) => {
    const a = found.vectors.get(id);
    return !expected.vectors.get(id)?.every((value, d) => value === a?.[d]);
  });
  t.same(wrong, [], 'every vector is the same to the last bit');
}

t.test('images', async (t) => {
  const dir = t.testdir({ photos: {} });
  const names = readdirSync(PICTURES).filter((name) => name.endsWith('.jpg'));
  const copy = (some: string[]) => {
    for (const name of some) copyFileSync(join(PICTURES, name), join(dir, 'photos', name));
  };
  const sources = [join(dir, 'photos')];
  const quiet = { sources, images: true, delayMs: 0 };
  const out = join(dir, 'killed.corvid');
  copy(names.slice(0, 40));
  const alone = join(dir, 'alone.corvid');
  for (const index of [out, alone]) t.ok(await ended(start({ ...quiet, out: index })));
  const before = await readIndex(out);
  copy(names.slice(20, 120));
  const slow = { sources, out, images: true, delayMs: 15 };
  await runWithKills(
    t,
    slow,
    ['list', 'embed', 'embed', 'sample', 'encode', 'place', 'commit'],
    async () => {
      const now = await readIndex(out);
      if (now.generation === before.generation) sameContent(t, now, before);
    },
  );

  t.ok(await ended(start({ ...quiet, out: alone })));
  sameContent(t, await readIndex(out), await readIndex(alone));
});

t.test('vectors', async (t) => {
  const dir = t.testdir({ vectors: {} });
  const dims = 64;
  for (const part of [0, 1, 2]) {
    const vectors = clusteredVectors(3000, dims, part + 1, 40);
    writeNpy(join(dir, 'vectors', `part-${part}.npy`), vectors, dims);
  }
  const options = { sources: [join(dir, 'vectors')], images: false, delayMs: 0, threads: 1 };
  const alone = join(dir, 'alone.corvid');
  t.ok(await ended(start({ ...options, out: alone })));
  const out = join(dir, 'killed.corvid');
  const phases: BuildPhase[] = ['sample', 'train', 'encode', 'place', 'commit'];
  await runWithKills(t, { ...options, out }, phases, async () => {});
  sameContent(t, await readIndex(out), await readIndex(alone));
});

/** Name, without its number, and hash of every file of an index, but the catalog, which knows the
 * time. */
function fileHashes(index: string): Record<string, string> {
  const files = readdirSync(index, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('catalog.sqlite'))
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    files.map((file) => [
      file.slice(index.length).replace(/\d{6}/, 'N'),
      createHash('sha256').update(readFileSync(file)).digest('hex'),
    ]),
  );
}

t.test('a build larger than its memory goes on from its last checkpoint', async (t) => {
  const dir = t.testdir({ vectors: { img_emb: {}, metadata: {} } });
  const dims = 256;
  for (const part of [0, 1, 2]) {
    const rows = 40_000 + part;
    const vectors = clusteredVectors(rows, dims, part + 1, 40);
    writeNpy(join(dir, 'vectors', 'img_emb', `img_emb_${part}.npy`), vectors, dims);
    const items = Array.from({ length: rows }, (_, row) => ({ caption: `picture ${part}/${row}` }));
    const lines = items.map((item) => JSON.stringify(item)).join('\n');
    writeFileSync(join(dir, 'vectors', 'metadata', `metadata_${part}.jsonl`), lines);
  }
  const options: Omit<BuildOptions, 'out'> = {
    sources: [join(dir, 'vectors')],
    lists: 64,
    vectors: 'int8',
    memoryBytes: 64 * 2 ** 20,
  };
  const alone = join(dir, 'alone.corvid');
  await buildIndex({ ...options, out: alone });
  const expected = fileHashes(alone);

  const out = join(dir, 'stopped.corvid');
  const begunWith: number[] = [];
  const stopAfter = async (rows: number, phase: BuildPhase) => {
    const stop = new AbortController();
    let first: number | null = null;
    const { signal } = stop;
    const built = buildIndex({
      ...options,
      out,
      signal,
      onProgress: (now) => {
        if (now.phase === 'encode' && now.done > 0) first ??= now.done;
        if (now.phase === phase && now.done >= rows) stop.abort();
      },
    });
    await t.rejects(built, { code: 'ERR_ABORTED' });
    begunWith.push(first ?? 0);
  };
  await stopAfter(70_000, 'encode');
  await stopAfter(110_000, 'encode');
  await stopAfter(20_000, 'place');
  await stopAfter(0, 'calibrate');
  await buildIndex({ ...options, out });
  t.ok((begunWith[1] as number) > 30_000, `the second run began with ${begunWith[1]} rows`);
  t.equal(begunWith[3], 120_003, 'the fourth had nothing to encode');
  t.strictSame(fileHashes(out), expected);
  sameContent(t, await readIndex(out), await readIndex(alone));

  const killed = join(dir, 'killed.corvid');
  const child = { ...options, out: killed, images: false, delayMs: 0 };
  const phases: BuildPhase[] = ['encode', 'place', 'calibrate', 'commit'];
  await runWithKills(t, child, phases, async () => {});
  t.strictSame(fileHashes(killed), expected);
  sameContent(t, await readIndex(killed), await readIndex(alone));
});
