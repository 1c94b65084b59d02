// Shows the progress of a build on stderr: a bar on a terminal, otherwise a plain line now and then.
import cliProgress from 'cli-progress';
import type { BuildPhase, BuildProgress } from '../../index.js';
import { clock, count } from './numbers.js';
import { cyan, isTerminal } from './style.js';

const LABELS: Record<BuildPhase, string> = {
  list: 'listing',
  embed: 'embedding',
  read: 'reading',
  sample: 'sampling',
  train: 'training',
  encode: 'encoding',
  place: 'placing',
  route: 'routing',
  calibrate: 'measuring',
  commit: 'committing',
};

const BAR_WIDTH = 20;
const PLAIN_LINE_EVERY_MS = 5000;
/** A phase that is over sooner than this gets no plain line. */
const PLAIN_FIRST_LINE_MS = 1000;

export interface ProgressView {
  show(progress: BuildProgress): void;
  /** Removes the bar. */
  end(): void;
}

export function progressView(quiet: boolean): ProgressView {
  if (quiet) return { show: () => undefined, end: () => undefined };
  return isTerminal(process.stderr) ? new Bar() : new PlainLines();
}

function details({ phase, done, total, ratePerSecond, etaSeconds, skipped }: BuildProgress) {
  const unit = phase === 'embed' ? 'img/s' : '/s';
  return [
    total > 0 ? `${count(done)}/${count(total)}` : done > 0 ? count(done) : '',
    ratePerSecond > 0 ? `${rounded(ratePerSecond)} ${unit}` : '',
    etaSeconds === null || done >= total ? '' : `ETA ${clock(etaSeconds)}`,
    skipped > 0 ? `${count(skipped)} skipped` : '',
  ].filter(Boolean);
}

function rounded(rate: number): string {
  return rate < 10 ? rate.toFixed(1) : count(Math.round(rate));
}

function percent({ done, total }: BuildProgress): string {
  return `${Math.floor((100 * Math.min(done, total)) / total)}%`;
}

class Bar implements ProgressView {
  #bar: cliProgress.SingleBar | undefined;

  show(progress: BuildProgress): void {
    if (this.#bar === undefined) this.#start(progress);
    else this.#bar.update(0, { progress });
  }

  #start(progress: BuildProgress): void {
    this.#bar = new cliProgress.SingleBar({
      format: (_options, _params, payload) => barLine(payload.progress as BuildProgress),
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
    });
    this.#bar.start(1, 0, { progress });
  }

  end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}

/** `embedding  █████████████░░░░░░░ 66%  31,402/47,310  41 img/s  ETA 6:28  3 skipped` */
function barLine(progress: BuildProgress): string {
  const { phase, done, total } = progress;
  const label = cyan(LABELS[phase].padEnd(10), process.stderr);
  const filled = total > 0 ? Math.floor((BAR_WIDTH * Math.min(done, total)) / total) : 0;
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
  return [
    total > 0 ? `${label} ${bar} ${percent(progress)}` : `${label} …`,
    ...details(progress),
  ].join('  ');
}

class PlainLines implements ProgressView {
  #phase: BuildPhase | undefined;
  #nextMs = 0;

  show(progress: BuildProgress): void {
    const now = performance.now();
    if (progress.phase !== this.#phase) {
      this.#phase = progress.phase;
      this.#nextMs = now + PLAIN_FIRST_LINE_MS;
    }
    if (now < this.#nextMs) return;
    this.#nextMs = now + PLAIN_LINE_EVERY_MS;
    const share = progress.total > 0 ? [percent(progress)] : [];
    const line = [LABELS[progress.phase], ...share, ...details(progress)].join('  ');
    process.stderr.write(`${line}\n`);
  }

  end(): void {}
}
