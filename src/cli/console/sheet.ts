// Writes a contact sheet: a self-contained HTML page of hits with embedded thumbnails, no scripts.
import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { CorvidError, type Hit, type SearchResult, thumbnail } from '../../index.js';
import { nameOf, timingText } from './hits.js';
import { count, plural } from './numbers.js';
import { printable } from './style.js';

export interface SheetSection {
  /** The query, formatted for people. */
  title: string;
  result: SearchResult;
  /** An image of the query, shown beside the title. */
  picture?: string | undefined;
}

const THUMBNAIL_PIXELS = 320;

const STYLE = `
:root { color-scheme: light dark; --back: #f6f5f3; --card: #fff; --ink: #1d1d1f; --soft: #6e6e73;
  --line: #e3e1dd; --accent: #3b5bdb; --shade: 0 1px 2px #0001, 0 6px 16px #0000000d; }
@media (prefers-color-scheme: dark) { :root { --back: #131316; --card: #1e1e22; --ink: #f2f2f4;
  --soft: #9b9ba1; --line: #303036; --accent: #8da2fb; --shade: 0 1px 2px #0006; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2.5rem clamp(1rem, 4vw, 4rem) 4rem; background: var(--back);
  color: var(--ink); font: 15px/1.45 system-ui, -apple-system, "Segoe UI", sans-serif; }
header { display: flex; align-items: baseline; gap: .75rem; margin-bottom: 2.25rem; }
h1 { margin: 0; font-size: 1.05rem; letter-spacing: .01em; }
header p { margin: 0; color: var(--soft); font-size: .9rem; }
section { margin-bottom: 3rem; }
.query { display: flex; align-items: center; gap: .9rem; margin-bottom: 1rem; }
.query img { width: 56px; height: 56px; object-fit: cover; border-radius: 10px;
  border: 1px solid var(--line); background: #fff; }
h2 { margin: 0; font-size: 1.5rem; line-height: 1.2; font-weight: 650; letter-spacing: -.015em; }
.query p { margin: .2rem 0 0; color: var(--soft); font-size: .84rem;
  font-variant-numeric: tabular-nums; }
ol { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(168px, 1fr)); }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 14px;
  overflow: hidden; box-shadow: var(--shade); height: 100%; }
figure a { display: block; aspect-ratio: 1; background: #fff; }
figure img { width: 100%; height: 100%; object-fit: contain; display: block; }
.none { display: grid; place-items: center; height: 100%; color: var(--soft); background: var(--card);
  font-size: .8rem; padding: 1rem; text-align: center; }
figcaption { padding: .6rem .75rem .75rem; font-size: .84rem; border-top: 1px solid var(--line); }
.top { display: flex; justify-content: space-between; align-items: center; gap: .5rem; }
.score { font-weight: 650; font-variant-numeric: tabular-nums; color: var(--accent); }
.rank { color: var(--soft); font-variant-numeric: tabular-nums; }
.bar { height: 3px; border-radius: 2px; margin: .4rem 0 .45rem; background: var(--line); }
.bar i { display: block; height: 100%; border-radius: 2px; background: var(--accent); }
.name { overflow-wrap: anywhere; }
.note { color: var(--soft); }
.empty { color: var(--soft); }
`;

/** Writes the page to `path`. @throws CorvidError ERR_IO if it cannot be written */
export async function writeSheet(path: string, sections: readonly SheetSection[]): Promise<void> {
  const page = await contactSheet(sections);
  try {
    await writeFile(path, page);
  } catch (cause) {
    throw new CorvidError('ERR_IO', 'the contact sheet could not be written', {
      path,
      actual: cause instanceof Error ? cause.message : String(cause),
      hint: 'choose a file in a folder that exists and is writable',
      cause,
    });
  }
}

/** @returns the page. Reads the image files of the hits; an unreadable one shows only its name. */
async function contactSheet(sections: readonly SheetSection[]): Promise<string> {
  const first = sections[0];
  const images = first === undefined ? 0 : first.result.rows;
  const body: string[] = [];
  for (const section of sections) body.push(await sectionHtml(section));
  const title = sections.length === 1 ? escapeHtml(first?.title ?? '') : 'Contact sheet';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · corvid</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>corvid</h1><p>${plural(images, 'image')}</p></header>
${body.join('\n')}
</body>
</html>
`;
}

async function sectionHtml({ title, result, picture }: SheetSection): Promise<string> {
  const best = Math.max(0.01, ...result.hits.map(({ score }) => score));
  const cards = await Promise.all(result.hits.map((hit, i) => cardHtml(hit, i + 1, best)));
  const summary = [
    `${count(result.hits.length)} of ${count(result.rows)}`,
    timingText(result),
  ].filter(Boolean);
  const shown = picture === undefined ? '' : await imageTag(picture, '');
  return `<section>
<div class="query">${shown}<div><h2>${escapeHtml(title)}</h2><p>${summary.join(' · ')}</p></div></div>
${cards.length === 0 ? '<p class="empty">Nothing found.</p>' : `<ol>\n${cards.join('\n')}\n</ol>`}
</section>`;
}

async function cardHtml(hit: Hit, rank: number, best: number): Promise<string> {
  const name = nameOf(hit);
  const note = [printable(hit.caption ?? ''), hit.takenAt?.slice(0, 10) ?? '']
    .filter(Boolean)
    .join(' · ');
  const share = Math.round(Math.max(0, Math.min(1, hit.score / best)) * 100);
  const image = hit.path === null ? missingTag('no file') : await imageTag(hit.path, note || name);
  const link = hit.path === null ? '' : ` href="${escapeHtml(pathToFileURL(hit.path).href)}"`;
  return `<li><figure><a${link}>${image}</a><figcaption>
<div class="top"><span class="score">${hit.score.toFixed(3)}</span><span class="rank">${rank}</span></div>
<div class="bar"><i style="width:${share}%"></i></div>
<div class="name">${escapeHtml(name)}</div>${note === '' ? '' : `<div class="note">${escapeHtml(note)}</div>`}
</figcaption></figure></li>`;
}

async function imageTag(path: string, alt: string): Promise<string> {
  try {
    const jpeg = Buffer.from(await thumbnail(await readFile(path), THUMBNAIL_PIXELS));
    const data = `data:image/jpeg;base64,${jpeg.toString('base64')}`;
    return `<img src="${data}" alt="${escapeHtml(alt)}" loading="lazy">`;
  } catch (error) {
    // The file may be gone since it was indexed: the sheet shows the reason in its place.
    const reason = error instanceof CorvidError ? error.code : 'the file cannot be read';
    return missingTag(reason);
  }
}

function missingTag(reason: string): string {
  return `<div class="none">no picture: ${escapeHtml(reason)}</div>`;
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] as string);
}
