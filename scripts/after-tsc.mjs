// Runs after tsc. Makes the commands executable, for `npx corvid` in a clone and for running them by
// path, and removes what was compiled from sources that are gone, which would be packed.
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
for (const name of ['src/cli/main', 'scripts/build-index', 'scripts/repl']) {
  chmodSync(`${root}dist/${name}.js`, 0o755);
}
for (const name of readdirSync(`${root}dist`, { recursive: true })) {
  const source = String(name).match(/^(.*)\.(js|js\.map|d\.ts)$/)?.[1];
  if (source !== undefined && !existsSync(`${root}${source}.ts`)) rmSync(`${root}dist/${name}`);
}
