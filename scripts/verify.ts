// corvid verify: every checksum and cross-reference of an index.
import { Command } from 'commander';
import { openIndex } from '../src/index.js';
import { bytes, plural } from './console/numbers.js';
import { interruptSignal } from './console/run.js';
import { green } from './console/style.js';

export function verifyCommand(): Command {
  return new Command('verify')
    .description('check every checksum and cross-reference of an index')
    .argument('<index>', 'an index that build-index made')
    .option('--json', 'as JSON')
    .action(async (path: string, { json }: { json?: boolean }) => {
      const { signal, release } = interruptSignal();
      const index = await openIndex(path);
      try {
        const report = await index.verify({ signal });
        const { images } = await index.info();
        const text =
          json === true
            ? JSON.stringify({ ok: true, images, ...report })
            : `${green('✔', process.stdout)} ${path} is whole: ${plural(images, 'image')}, ` +
              `${plural(report.files, 'file')}, ${bytes(report.bytes)} checked`;
        process.stdout.write(`${text}\n`);
      } finally {
        release();
        await index.close();
      }
    });
}
