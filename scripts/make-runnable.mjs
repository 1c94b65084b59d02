// Makes the compiled commands executable, for `npx corvid` in a clone and for running them by path.
// tsc does not keep the executable bit.
import { chmodSync } from 'node:fs';

for (const name of ['src/cli/main', 'scripts/build-index', 'scripts/repl']) {
  chmodSync(new URL(`../dist/${name}.js`, import.meta.url), 0o755);
}
