// tsc writes plain files; `npx corvid` in a clone wants the command to be executable.
import { chmodSync } from 'node:fs';

chmodSync(new URL('../dist/scripts/corvid.js', import.meta.url), 0o755);
