// Runs the command as a user does, in a child process.
import { type SpawnSyncOptions, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const COMMAND = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
export const PICTURES = fileURLToPath(new URL('../../../test/fixtures/pictures', import.meta.url));

export interface CommandResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

export function corvid(args: readonly string[], options: SpawnSyncOptions = {}): CommandResult {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], {
    timeout: 120_000,
    ...options,
    encoding: 'utf8',
  });
  return { status, stdout: String(stdout), stderr: String(stderr) };
}

/** Starts the command and sends it SIGINT when its stderr first matches. */
export async function interrupted(args: readonly string[], when: RegExp): Promise<CommandResult> {
  const child = spawn(process.execPath, [COMMAND, ...args], { stdio: 'pipe' });
  let [stdout, stderr, sent] = ['', '', false];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
    if (!sent && when.test(stderr)) sent = child.kill('SIGINT');
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, stdout, stderr };
}
