// tsc writes plain files; `npx corvid` in a clone wants the command to be executable, and so do those
// who run a script by its path.
import { chmodSync } from 'node:fs';

for (const name of ['src/cli/main', 'scripts/build-index', 'scripts/repl']) {
  chmodSync(new URL(`../dist/${name}.js`, import.meta.url), 0o755);
}
