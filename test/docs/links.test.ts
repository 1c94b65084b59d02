// Links between the documents, and from them to the code, point to files and headings that exist.
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import t from 'tap';
import { anchorsOf, documents, localLinks, root, textOf } from './markdown.js';

t.test('the anchors of headings are those of GitHub', async (t) => {
  const text = '# One `two`, three\n## A & b\n## A & b\n```\n# not this\n```\n### [x](y): z?\n';
  t.strictSame([...anchorsOf(text)], ['one-two-three', 'a--b', 'a--b-1', 'x-z']);
});

t.test('every link between documents resolves', async (t) => {
  const names = documents();
  t.ok(names.includes('README.md') && names.includes('ARCHITECTURE.md'), 'documents were found');
  const links = names.flatMap(localLinks);
  t.ok(links.length > 50, 'links were found');
  const broken = links.filter(({ from, target }) => {
    const [file = '', anchor] = target.split('#');
    const path = file === '' ? from : normalize(join(dirname(from), file));
    if (!existsSync(join(root, path))) return true;
    return anchor !== undefined && !anchorsOf(textOf(path)).has(anchor);
  });
  t.strictSame(broken, []);
});
