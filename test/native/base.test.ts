// Base functions of the addon: checksums, locks, unit vectors, instruction sets.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import t from 'tap';
import { native } from '../../src/native/addon.js';

t.test('crc32c is the published checksum, and can be continued', async (t) => {
  t.equal(native.crc32c(Buffer.from('123456789')), 0xe3069283, 'RFC 3720, appendix B.4');
  t.equal(native.crc32c(new Uint8Array(32)), 0x8a9136aa, '32 zeros, from the same appendix');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (data, cut) => {
      const [head, tail] = [data.slice(0, cut), data.slice(cut)];
      return native.crc32c(tail, native.crc32c(head)) === native.crc32c(data);
    }),
  );
});

t.test('a lock has one holder, and dies with its process', async (t) => {
  const path = join(t.testdir(), 'write.lock');
  const lock = native.lockFile(path);
  t.ok(lock, 'the first one gets it');
  t.equal(native.lockFile(path), null, 'the second one in this process does not');
  const addon = new URL('../../src/native/addon.js', import.meta.url).href;
  const script = `import { native } from ${JSON.stringify(addon)};
    process.stdout.write(String(native.lockFile(${JSON.stringify(path)}) !== null));
    process.kill(process.pid, 'SIGKILL');`;
  const other = () =>
    spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).stdout;
  t.equal(other(), 'false', 'nor does another process');
  lock?.release();
  t.equal(other(), 'true', 'until it is released');
  t.ok(native.lockFile(path), 'and a killed holder holds nothing');
});

t.test('toUnit scales rows of every type to length one', async (t) => {
  const rows = fc.array(
    fc.array(fc.integer({ min: -127, max: 127 }), { minLength: 3, maxLength: 3 }),
  );
  fc.assert(
    fc.property(rows, (values) => {
      const usable = values.filter((row) => row.some((value) => value !== 0));
      const flat = usable.flat();
      const fromFloats = native.toUnit(Float32Array.from(flat), 3);
      const fromBytes = native.toUnit(Int8Array.from(flat), 3);
      return usable.every((row, r) => {
        const length = Math.hypot(...row);
        return row.every(
          (value, d) =>
            Math.abs((fromFloats[3 * r + d] as number) - value / length) < 1e-6 &&
            fromBytes[3 * r + d] === fromFloats[3 * r + d],
        );
      });
    }),
  );
  const halves = native.toUnit(Uint16Array.of(0x3c00, 0xbc00, 0x0000, 0x4000), 2);
  t.strictSame(
    [...halves].map((v) => v.toFixed(4)),
    ['0.7071', '-0.7071', '0.0000', '1.0000'],
  );
});

t.test('toUnit names the row that is not a valid vector', async (t) => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 0]) {
    const vectors = Float32Array.of(1, 2, bad, 0, 3, 4);
    t.throws(() => native.toUnit(vectors, 2), { code: 'ERR_VECTOR_INVALID', message: /vector 1/ });
  }
});

t.test('CORVID_SIMD forces an instruction set, and refuses one that is missing', async (t) => {
  const addon = new URL('../../src/native/addon.js', import.meta.url).href;
  const script = `import { native } from ${JSON.stringify(addon)};
    try { console.log(native.simdLevel()); } catch (error) { console.log(error.code, error.hint); }`;
  const level = (forced: string) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      env: { ...process.env, CORVID_SIMD: forced },
    }).stdout.trim();
  const levels = native.simdLevels();
  t.equal(levels[0], 'scalar');
  for (const name of levels) t.equal(level(name), name);
  t.equal(level(''), levels.at(-1), 'the best one without being forced');
  for (const name of ['sse9', levels.includes('neon') ? 'avx2' : 'neon']) {
    t.equal(level(name), 'ERR_NATIVE unset CORVID_SIMD to let corvid choose');
  }
});

t.test('worker threads load the addon, and release their locks when they end', async (t) => {
  const addon = new URL('../../src/native/addon.js', import.meta.url).href;
  const path = join(t.testdir(), 'write.lock');
  const code = `import(${JSON.stringify(addon)}).then(({ native }) => {
    const lock = native.lockFile(${JSON.stringify(path)});
    require('node:worker_threads').parentPort.postMessage([native.simdLevel(), lock !== null]);
  });`;
  const answer = () =>
    new Promise<[string, boolean]>((resolve, reject) => {
      const worker = new Worker(code, { eval: true });
      let message: [string, boolean];
      worker.on('message', (value) => {
        message = value;
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve(message));
    });
  for (let round = 0; round < 3; round++) {
    t.strictSame(await answer(), [native.simdLevel(), true], 'the lock of a dead worker is free');
  }
  const lock = native.lockFile(path);
  t.ok(lock);
  t.strictSame(await answer(), [native.simdLevel(), false], 'threads exclude one another');
  lock?.release();
});
