// A Linux control group (version 1 or 2) with a hard limit on the memory of one process and its
// children, page cache included, and the kernel's accounting of it.
//
// The group is a child of the one that this process runs in, so limits above it hold too. Where
// that is not allowed (no Linux, no rights, or a group of version 2 whose parent holds processes),
// `ControlGroup.create` says why, and the bench measures without a limit.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** What the kernel counted, in bytes. */
export interface GroupMemory {
  /** Peak of what was charged: anonymous memory, and the page cache that the processes filled. */
  peakBytes: number;
  /** Charged now. */
  usedBytes: number;
  /** Of that, anonymous memory, and pages of files. */
  ownBytes: number;
  fileBytes: number;
  /** Times that the limit was reached and the kernel had to reclaim. */
  limitHits: number;
}

const ROOT = '/sys/fs/cgroup';
/** Followed by the id of the process that made the group. */
const PREFIX = 'corvid-';

/** Files of each version; `anonymous` and `file` are lines of memory.stat. */
const FILES = {
  1: {
    limit: 'memory.limit_in_bytes',
    used: 'memory.usage_in_bytes',
    peak: 'memory.max_usage_in_bytes',
    anonymous: 'total_rss',
    file: 'total_cache',
  },
  2: {
    limit: 'memory.max',
    used: 'memory.current',
    peak: 'memory.peak',
    anonymous: 'anon',
    file: 'file',
  },
} as const;

export class ControlGroup {
  private constructor(
    readonly folder: string,
    readonly version: 1 | 2,
  ) {}

  /** A new group with this limit, one at a time per process; or the reason why there is none. */
  static create(limitBytes: number): ControlGroup | string {
    const parent = groupOfProcess();
    if (parent === null) return 'no memory control groups on this system';
    const group = new ControlGroup(join(parent.folder, `${PREFIX}${process.pid}`), parent.version);
    removeLeftovers(parent.folder);
    try {
      mkdirSync(group.folder);
      if (!existsSync(join(group.folder, FILES[group.version].limit))) {
        writeFileSync(join(parent.folder, 'cgroup.subtree_control'), '+memory');
      }
      writeFileSync(join(group.folder, FILES[group.version].limit), `${Math.floor(limitBytes)}`);
      return group;
    } catch (error) {
      group.remove();
      return `no right to make a control group: ${(error as Error).message}`;
    }
  }

  /** Command and arguments that run `command` in this group from its first instruction on. */
  wrap(command: readonly string[]): [string, string[]] {
    const script = `echo $$ > "$0" && exec "$@"`;
    return ['/bin/sh', ['-c', script, join(this.folder, 'cgroup.procs'), ...command]];
  }

  memory(): GroupMemory {
    const files = FILES[this.version];
    const stat = this.#pairs('memory.stat');
    return {
      peakBytes: this.#number(files.peak),
      usedBytes: this.#number(files.used),
      ownBytes: stat.get(files.anonymous) ?? 0,
      fileBytes: stat.get(files.file) ?? 0,
      limitHits:
        this.version === 1
          ? this.#number('memory.failcnt')
          : (this.#pairs('memory.events').get('max') ?? 0),
    };
  }

  /** Its processes must have ended. */
  remove(): void {
    if (existsSync(this.folder)) rmdirSync(this.folder);
  }

  #number(file: string): number {
    const path = join(this.folder, file);
    return existsSync(path) ? Number(readFileSync(path, 'utf8')) : Number.NaN;
  }

  #pairs(file: string): Map<string, number> {
    const lines = readFileSync(join(this.folder, file), 'utf8').trim().split('\n');
    return new Map(
      lines.map((line) => {
        const [name = '', value] = line.split(' ');
        return [name, Number(value)];
      }),
    );
  }
}

/** Removes groups whose maker was killed before it could do so. */
function removeLeftovers(parent: string): void {
  for (const name of readdirSync(parent).filter((name) => name.startsWith(PREFIX))) {
    const processes = join(parent, name, 'cgroup.procs');
    if (readFileSync(processes, 'utf8') !== '') continue;
    const maker = Number(name.slice(PREFIX.length));
    if (!existsSync(`/proc/${maker}`)) rmdirSync(join(parent, name));
  }
}

/** The control group of this process that accounts for memory. */
function groupOfProcess(): { folder: string; version: 1 | 2 } | null {
  if (!existsSync('/proc/self/cgroup')) return null;
  for (const line of readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n')) {
    const [, controllers = '', ...rest] = line.split(':');
    const path = rest.join(':');
    const first = join(ROOT, 'memory', path);
    if (controllers.split(',').includes('memory') && existsSync(first)) {
      return { folder: first, version: 1 };
    }
    const second = join(ROOT, path);
    if (controllers === '' && existsSync(join(second, 'cgroup.controllers'))) {
      const has = readFileSync(join(second, 'cgroup.controllers'), 'utf8').split(/\s+/);
      if (has.includes('memory')) return { folder: second, version: 2 };
    }
  }
  return null;
}
