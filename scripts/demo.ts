// npm run demo: indexes and searches real images with the bundled encoder, without a network.
//
// It indexes the 238 images of test/fixtures/pictures, searches them by text, by image and by both,
// and writes a contact sheet. A second run finds nothing new to embed.
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { footer, hitLines } from '../src/cli/console/hits.js';
import { infoLines } from '../src/cli/console/ledger.js';
import { plural } from '../src/cli/console/numbers.js';
import { progressView } from '../src/cli/console/progress.js';
import { describeQuery, pictureOf } from '../src/cli/console/query.js';
import { exitCodeOf, reportError } from '../src/cli/console/run.js';
import { type SheetSection, writeSheet } from '../src/cli/console/sheet.js';
import { bold, cyan, dim } from '../src/cli/console/style.js';
import { buildIndex, openIndex, parseQuery, type QueryPart } from '../src/index.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pictures = join(root, 'test', 'fixtures', 'pictures');
const output = join(root, 'demo-output');

const QUERIES: QueryPart[][] = [
  parseQuery('guitar'),
  parseQuery('a bird'),
  parseQuery('yellow flower'),
  parseQuery('a musical instrument - 0.5*guitar'),
  parseQuery('a car + red'),
  [{ image: join(pictures, 'birds-crow.jpg') }],
  [{ image: join(pictures, 'birds-crow.jpg') }, { text: 'a penguin', weight: 1.5 }],
];

const say = (text: string) => process.stdout.write(`${text}\n`);
const heading = (text: string) => say(`\n${cyan(bold(text, process.stdout), process.stdout)}`);

async function demo(): Promise<void> {
  await mkdir(output, { recursive: true });
  const path = join(output, 'pictures.corvid');

  heading(`1. Index ${relative(process.cwd(), pictures) || pictures}`);
  const view = progressView(false);
  const summary = await buildIndex({
    sources: [pictures],
    out: path,
    model: 'clip-nano',
    onProgress: (progress) => view.show(progress),
  });
  view.end();
  const { rows, added, unchanged, seconds } = summary;
  say(
    `${plural(rows, 'image')}: ${added} embedded, ${unchanged} unchanged, ${seconds.toFixed(1)} s`,
  );

  const index = await openIndex(path);
  try {
    say(infoLines(await index.info()).join('\n'));
    heading('2. Search by text, by image, and by both');
    const sections: SheetSection[] = [];
    for (const parts of QUERIES) {
      const result = await index.search(parts, { limit: 6 });
      say(`\n> ${bold(describeQuery(parts), process.stdout)}`);
      for (const line of hitLines(result.hits, { firstRank: null })) say(line);
      say(dim(footer(result), process.stdout));
      sections.push({ title: describeQuery(parts), result, picture: pictureOf(parts) });
    }
    const sheet = join(output, 'contact-sheet.html');
    await writeSheet(sheet, sections);
    heading('3. Results');
    say(`contact sheet   ${pathToFileURL(sheet).href}`);
    say(`search it       npx corvid repl ${relative(process.cwd(), path)}`);
  } finally {
    await index.close();
  }
}

try {
  await demo();
} catch (error) {
  reportError(error);
  process.exitCode = exitCodeOf(error);
}
