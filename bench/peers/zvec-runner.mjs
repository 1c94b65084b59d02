// zvec: its quantised index.
import { requirePeer } from './node-runner.mjs';

const zvec = requirePeer('@zvec/zvec');
process.stderr.write(`${Object.keys(zvec).join(' ')}\n`);
process.exitCode = 1;
