// slow: runs the command, which loads the encoder, in child processes.
//
// The REPL, with its lines piped in.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { completions } from '../../src/cli/repl/complete.js';
import { corvid, PICTURES } from './command.js';

const folder = t.testdir({});
const index = join(folder, 'pictures.corvid');
const repl = (...lines: string[]) =>
  corvid(['repl', index, '--limit', '3'], { input: `${lines.join('\n')}\n` });
const hitsOf = (text: string) =>
  [...text.matchAll(/^ +(\d+) {2}(-?\d\.\d{3}) {2}(\S+)/gm)].map(([, rank, score, name]) => ({
    rank: Number(rank),
    score: Number(score),
    name,
  }));

t.before(() => {
  const { status, stderr } = corvid([
    'build-index',
    PICTURES,
    '-o',
    index,
    '-m',
    'clip-nano',
    '-q',
  ]);
  if (status !== 0) throw new Error(stderr);
});

t.test('a line is a query, and .next shows the next page', async (t) => {
  const { status, stdout, stderr } = repl('a bird', '.next');
  t.equal(status, 0, stderr);
  const hits = hitsOf(stdout);
  t.strictSame(
    hits.map(({ rank }) => rank),
    [1, 2, 3, 4, 5, 6],
  );
  t.equal(new Set(hits.map(({ name }) => name)).size, 6, 'nothing comes twice');
  t.ok(hits.every(({ score }, i) => i === 0 || score <= Number(hits[i - 1]?.score)));
  t.match(stdout, /3 of 238 · .* ms/);
});

t.test('.more and .less steer the query', async (t) => {
  const { stdout } = repl('a bird', '.more 1', '.less 2');
  t.match(stdout, /^a bird \+ birds-[\w-]+\.jpg$/m);
  t.match(stdout, /^a bird \+ birds-[\w-]+\.jpg − birds-[\w-]+\.jpg$/m);
  t.equal(hitsOf(stdout).length, 9);
  const weighed = repl(
    'a bird',
    '.less 0.5*1',
    `.image + 0.25*${join(PICTURES, 'birds-crow.jpg')}`,
  );
  t.match(weighed.stdout, /^a bird − 0\.5\*birds-[\w-]+\.jpg \+ 0\.25\*birds-crow\.jpg$/m);
});

t.test('.where filters until it is cleared', async (t) => {
  const filter = "caption like '%frog%'";
  const { stdout } = repl(`.where ${filter}`, 'an animal', `.where ${filter}`, '.where');
  t.equal([...stdout.matchAll(/^filter: caption like '%frog%'$/gm)].length, 2);
  t.match(stdout, /^no filter$/m);
  t.match(stdout, /of 238 \(\d+ match\)/);
  const [first = [], second = []] = [hitsOf(stdout).slice(0, 2), hitsOf(stdout).slice(-3)];
  t.ok(
    first.every(({ name }) => name?.includes('frog')),
    stdout,
  );
  t.equal(second.length, 3);
});

t.test(
  '.image searches by a picture, .sheet writes the page, .explain describes the search',
  async (t) => {
    const sheet = join(folder, 'sheet.html');
    const crow = join(PICTURES, 'birds-crow.jpg');
    const { stdout, stderr } = repl(`.image ${crow}`, `.sheet ${sheet}`, '.explain', '.info');
    t.equal(hitsOf(stdout)[0]?.name, 'birds-crow.jpg', stderr);
    t.ok(existsSync(sheet));
    const page = readFileSync(sheet, 'utf8');
    t.equal([...page.matchAll(/<li>/g)].length, 3);
    t.equal([...page.matchAll(/src="data:image\/jpeg;base64,/g)].length, 4, 'hits and the query');
    t.match(stdout, /scan +238 of 238 codes of 64 bits/);
    t.match(stdout, /238 images · clip-nano/);
  },
);

t.test('an error is reported, and the next line is answered', async (t) => {
  const { status, stdout, stderr } = repl('.fly', '.more 7', 'a bird', '.where nonsense(', '.next');
  t.equal(status, 1, 'a script learns that a line failed');
  t.match(stderr, /there is no command \.fly/);
  t.match(stderr, /there is no hit 7/);
  t.match(stderr, /ERR_WHERE/);
  t.strictSame(
    hitsOf(stdout).map(({ rank }) => rank),
    [1, 2, 3, 4, 5, 6],
    'a refused filter leaves the query and its hits as they were',
  );
});

t.test('.exit ends at once, .help lists every command', async (t) => {
  const { status, stdout } = repl('.help', '.exit', 'a bird');
  t.equal(status, 0);
  t.equal(hitsOf(stdout).length, 0);
  for (const name of [
    '.image',
    '.more',
    '.less',
    '.where',
    '.next',
    '.open',
    '.sheet',
    '.effort',
  ]) {
    t.match(stdout, name);
  }
});

t.test('Tab completes commands, columns and files', async (t) => {
  t.strictSame(
    completions('.i'),
    [['.image ', '.info'], '.i'],
    'followed by a blank where an argument is expected',
  );
  t.strictSame(completions('.where ta'), [['taken '], 'ta']);
  t.strictSame(completions('a dog'), [[], 'a dog']);
  const [files, fragment] = completions(`.image - ${PICTURES}/birds-cr`);
  t.ok(files.includes(join(PICTURES, 'birds-crow.jpg')));
  t.equal(fragment, join(PICTURES, 'birds-cr'), 'the sign before it stays');
  t.equal(
    completions(`.image 0.5*${PICTURES}/birds-cr`)[1],
    join(PICTURES, 'birds-cr'),
    'nor a weight',
  );
  t.strictSame(completions('.sheet /no/such/folder/x')[0], []);
});
