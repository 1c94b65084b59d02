// slow: kills writers in child processes.
//
// A writer that is killed, or finds the disk full, leaves the last committed index, whole.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { IndexWriter, openCatalog } from '../../src/store/index-folder.js';
import { verifyIndex } from '../../src/store/verify.js';
import { makeCodec, randomNumbers } from './fixture.js';

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'write-process.js');
const codecPath = join(t.testdir(), 'codec.bin');
await makeCodec(codecPath);

/** Generation that readers see; 0 before there is any. */
function committed(path: string): number {
  try {
    const catalog = openCatalog(path);
    const { generation } = catalog.settings();
    catalog.close();
    return generation;
  } catch {
    return 0;
  }
}

type Assertions = Pick<typeof t, 'ok' | 'strictSame'>;

/** Verifies, lets a writer sweep, and looks whether only live files are left. */
async function checkWhole(t: Assertions, path: string): Promise<void> {
  if (committed(path) > 0) t.strictSame((await verifyIndex(path)).faults, []);
  const writer = IndexWriter.open(path);
  const live = writer.isNew ? [] : writer.catalog.segments().map((segment) => segment.number);
  t.strictSame(readdirSync(join(path, 'segments')).map(Number), live);
  const begun = readdirSync(join(path, 'staging'));
  t.ok(
    begun.length <= 1 && begun.every((name) => name.startsWith('segment-')),
    'at most the beginning of one segment is left to be gone on from',
  );
  writer.close();
}

t.test('kill -9 at any moment', async (t) => {
  const path = join(t.testdir(), 'index.corvid');
  const seed = Date.now() % 2 ** 31;
  t.comment(`seed ${seed}`);
  const random = randomNumbers(seed);
  for (let round = 0; round < 8; round++) {
    const before = committed(path);
    const child = spawn(process.execPath, [SCRIPT, path, codecPath, '1000000']);
    let printed = '';
    child.stdout.on('data', (text) => {
      // The first rounds kill while the very first generation is being written.
      if (printed === '' && round > 2) setTimeout(() => child.kill('SIGKILL'), random() * 150);
      printed += text;
    });
    if (round <= 2) setTimeout(() => child.kill('SIGKILL'), 100 + random() * 300);
    const [, signal] = await new Promise<unknown[]>((done) =>
      child.on('close', (...result) => done(result)),
    );
    t.equal(signal, 'SIGKILL');
    const last = Number(printed.trim().split('\n').at(-1)) || before;
    const now = committed(path);
    t.ok(now === last || now === last + 1, `generation ${now}, printed ${last}`);
    await checkWhole(t, path);
  }
});

t.test('a full disk', async (t) => {
  const disk = mkdtempSync(join(tmpdir(), 'corvid-disk-'));
  t.teardown(() => {
    spawnSync('umount', ['--lazy', disk]); // files are still mapped
    rmdirSync(disk);
  });
  const mount = (...args: string[]) => spawnSync('mount', [...args, disk]);
  if (mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs').status !== 0) {
    t.pass('this user may not mount a small disk', { skip: true });
    return;
  }
  const path = join(disk, 'index.corvid');
  const codes = new Set<string>();
  // Ever larger, so that it fills up at ever later steps.
  for (let kilobytes = 64; kilobytes < 2300; kilobytes += 230) {
    mount('-o', `remount,size=${kilobytes}k`);
    const before = committed(path);
    const run = spawnSync(process.execPath, [SCRIPT, path, codecPath, '2'], { encoding: 'utf8' });
    t.equal(run.signal, null);
    if (run.status !== 0) {
      const { code, path: about, message } = JSON.parse(run.stderr);
      codes.add(code);
      t.equal(code, 'ERR_DISK_FULL', message);
      t.match(about, path);
    }
    t.ok(committed(path) >= before);
    await checkWhole(t, path);
  }
  t.strictSame([...codes], ['ERR_DISK_FULL'], 'the disk was full at some time');
  t.ok(committed(path) > 0, 'and at last it was not');
});
