// slow: runs the bench of scale.
//
// bench scale as a whole, at a size that takes seconds: its measurements, and how it resumes a run.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { heldOutQueries, syntheticTable } from '../../bench/scale/collection.js';
import { ControlGroup } from '../../bench/scale/control-group.js';
import { GroundTruthFile, groundTruthRecall } from '../../bench/scale/ground-truth.js';
import type { ScaleResult } from '../../bench/scale/result.js';
import { COLLECTION_SEED, SYNTHETIC_DIMS } from '../../bench/synthetic/native.js';
import { native } from '../../src/native/addon.js';

const ROWS = 20_000;
const LIMIT = 1e9;
const main = fileURLToPath(new URL('../../bench/main.js', import.meta.url));
const command = (out: string, ...more: string[]) => [
  main,
  ...['scale', '--rows', `${ROWS}`, '--memory-limit', `${LIMIT}`, '--levels', '64,128'],
  ...['--out', out, '--json', ...more],
];

t.test(
  'a killed run leaves no process behind, resumes, and reports its measurements',
  async (t) => {
    const out = join(t.testdir(), 'run');
    const first = spawn(process.execPath, command(out), { stdio: ['ignore', 'ignore', 'pipe'] });
    for await (const text of first.stderr) {
      if (/build (encode|train)/.test(`${text}`)) break;
    }
    first.kill('SIGKILL');
    await once(first, 'exit');
    const path = join(out, 'index.corvid', 'write.lock');
    let lock = native.lockFile(path);
    for (let i = 0; i < 50 && lock === null; i++) {
      await setTimeout(100);
      lock = native.lockFile(path);
    }
    t.ok(lock, 'the build process ends with its parent');
    lock?.release();

    const again = spawnSync(process.execPath, command(out), { encoding: 'utf8' });
    t.equal(again.status, 2, 'a folder with another run is refused');
    t.match(again.stderr, /--resume/);

    const resumed = spawnSync(process.execPath, command(out, '--resume'), { encoding: 'utf8' });
    t.equal(resumed.status, 0, resumed.stderr);
    const result = JSON.parse(resumed.stdout) as ScaleResult;
    t.match(result, { label: 'synthetic', rows: ROWS, build: { runs: 2 } });
    const { phases, seconds } = result.build;
    const sum = Object.values(phases).reduce<number>((total, phase) => total + (phase ?? 0), 0);
    t.ok(Math.abs(sum - seconds) < 1e-6);
    t.ok((result.encoding?.rowsPerSecond ?? 0) > 0);
    t.ok(
      result.ledger.some(({ name, diskBytes }) => name === 'plane-64.bin' && diskBytes > 8 * ROWS),
    );
    t.match(readFileSync(join(out, 'scale.svg'), 'utf8'), /<svg/);
    const { report, memory } = result.served[0] as ScaleResult['served'][number];
    t.equal(report.info.images, ROWS);
    for (const { recallWithin300, fresh } of report.asked) {
      t.ok(recallWithin300 >= 0.9, `${recallWithin300}`);
      t.ok(fresh.p50 > 0 && fresh.p50 <= fresh.p99);
    }
    if (memory !== null)
      t.ok(memory.peakBytes > 0 && memory.peakBytes <= LIMIT, 'the kernel held it to the limit');
    const { build } = JSON.parse(readFileSync(join(out, 'state.json'), 'utf8'));
    t.strictSame(build, result.build, 'a finished build is recorded and not repeated');
  },
);

t.test('the exact search resumes after the last saved block', async (t) => {
  const folder = t.testdir();
  const queries = await heldOutQueries(COLLECTION_SEED, ROWS, 8);
  t.equal(queries.length, 8 * SYNTHETIC_DIMS);
  const open = (name: string) =>
    new GroundTruthFile(join(folder, name), COLLECTION_SEED, queries, 10);
  const find = async (name: string, rows: number) => open(name).finish(rows, () => {});
  const whole = await find('whole.json', ROWS);
  await find('parts.json', 7000);
  const parts = await find('parts.json', ROWS);
  t.strictSame(Array.from(parts.rows), Array.from(whole.rows));

  // Like a build that is interrupted and reads some rows again.
  const table = syntheticTable(COLLECTION_SEED, ROWS);
  for (const reads of [
    [
      [500, 900],
      [1400, 100],
    ],
    [
      [1200, 2000],
      [9000, 50],
    ],
  ]) {
    const file = open('shown.json');
    for (const [first = 0, count = 0] of reads) {
      await file.add(first, (await table.read(first, count)) as Uint16Array);
    }
    file.save();
  }
  const shown = await find('shown.json', ROWS);
  t.strictSame(Array.from(shown.rows), Array.from(whole.rows));
  t.strictSame(Array.from(shown.cosines), Array.from(whole.cosines));
  await t.rejects(
    find('whole.json', 100),
    { code: 'ERR_USAGE' },
    'neighbours among more rows are refused',
  );
  const answers = Array.from({ length: 8 }, (_, q) => whole.rows.subarray(q * 10, q * 10 + 10));
  t.equal(groundTruthRecall(whole, answers, 10), 1);
  t.equal(
    groundTruthRecall(
      whole,
      answers.map((ids) => ids.subarray(0, 5)),
      10,
    ),
    0.5,
  );
});

t.test('the table gives the same rows for any range', async (t) => {
  const table = syntheticTable(COLLECTION_SEED, ROWS);
  t.equal(table.rows, ROWS);
  const together = await table.read(100, 50);
  t.equal(together.length, 50 * SYNTHETIC_DIMS);
  t.same(together.subarray(20 * SYNTHETIC_DIMS), await table.read(120, 30));
});

t.test('a control group enforces its limit', async (t) => {
  const group = ControlGroup.create(64 * 2 ** 20);
  if (typeof group === 'string') {
    t.comment(`not tested here: ${group}`);
    return;
  }
  try {
    const script = `const all = []; for (let i = 0; i < 40; i += 1) all.push(Buffer.alloc(1 << 24, 1));`;
    const [program, args] = group.wrap([process.execPath, '-e', script]);
    const { signal, status } = spawnSync(program, args);
    t.ok(signal === 'SIGKILL' || status !== 0, 'it cannot allocate ten times as much');
    t.ok(group.memory().peakBytes <= 64 * 2 ** 20);
    t.ok(group.memory().limitHits > 0);
  } finally {
    group.remove();
  }
});

t.test('invalid numbers are refused before any work', async (t) => {
  for (const args of [['--rows', 'many'], ['--rows=-1'], ['--memory-limit', '0']]) {
    const { status } = spawnSync(process.execPath, [main, 'scale', '--out', '/nowhere', ...args]);
    t.equal(status, 2, args.join(' '));
  }
});
