// Progress of a build on stderr: a bar on a terminal, a plain line now and then elsewhere.
import cliProgress from 'cli-progress';
import type { BuildPhase, BuildProgress } from '../../src/index.js';
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

const PLAIN_LINE_EVERY_MS = 5000;

export interface ProgressView {
  show(progress: BuildProgress): void;
  /** Takes the bar away. */
  end(): void;
}

export function progressView(quiet: boolean): ProgressView {
  if (quiet) return { show: () => undefined, end: () => undefined };
  return isTerminal(process.stderr) ? new Bar() : new PlainLines();
}

function details({ phase, done, total, ratePerSecond, etaSeconds, skipped }: BuildProgress) {
  const unit = phase === 'embed' ? 'img/s' : '/s';
  const rate = ratePerSecond > 0 ? `${rounded(ratePerSecond)} ${unit}` : '';
  return [
    total > 0 ? `${count(done)}/${count(total)}` : count(done),
    rate,
    etaSeconds === null ? '' : `ETA ${clock(etaSeconds)}`,
    skipped > 0 ? `${count(skipped)} skipped` : '',
  ]
    .filter(Boolean)
    .join('  ');
}

function rounded(rate: number): string {
  return rate < 10 ? rate.toFixed(1) : count(Math.round(rate));
}

class Bar implements ProgressView {
  #bar: cliProgress.SingleBar | undefined;
  #phase: BuildPhase | undefined;

  show(progress: BuildProgress): void {
    if (progress.phase !== this.#phase) this.#start(progress.phase);
    const total = Math.max(progress.total, progress.done, 1);
    this.#bar?.setTotal(total);
    this.#bar?.update(progress.done, { details: details(progress) });
  }

  #start(phase: BuildPhase): void {
    this.end();
    this.#phase = phase;
    const label = cyan(LABELS[phase].padEnd(10), process.stderr);
    this.#bar = new cliProgress.SingleBar(
      {
        format: `${label} {bar} {percentage}%  {details}`,
        stream: process.stderr,
        barsize: 20,
        hideCursor: true,
        clearOnComplete: true,
        gracefulExit: false,
      },
      cliProgress.Presets.shades_classic,
    );
    this.#bar.start(1, 0, { details: '' });
  }

  end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#phase = undefined;
  }
}

class PlainLines implements ProgressView {
  #phase: BuildPhase | undefined;
  #lastMs = 0;

  show(progress: BuildProgress): void {
    const now = Date.now();
    const finished = progress.total > 0 && progress.done >= progress.total;
    const due = progress.phase !== this.#phase || now - this.#lastMs >= PLAIN_LINE_EVERY_MS;
    if (!due && !finished) return;
    this.#phase = progress.phase;
    this.#lastMs = now;
    process.stderr.write(`${LABELS[progress.phase]}  ${details(progress)}\n`);
  }

  end(): void {}
}
