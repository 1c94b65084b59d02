// Opens a file with the desktop's default application.
import { spawn } from 'node:child_process';
import { CorvidError } from '../../index.js';

const OPENERS: Partial<Record<NodeJS.Platform, [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['explorer.exe'],
};

/** Resolves once the viewer has started. @throws CorvidError ERR_NOT_FOUND if there is none */
export function openWithDesktop(path: string): Promise<void> {
  const [command, ...first] = OPENERS[process.platform] ?? ['xdg-open'];
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...first, path], { detached: true, stdio: 'ignore' });
    child.once('error', (cause) => {
      reject(
        new CorvidError('ERR_NOT_FOUND', 'no application to open files was found', {
          path: command,
          hint: `open ${path} yourself`,
          cause,
        }),
      );
    });
    child.once('spawn', () => {
      child.unref();
      resolve();
    });
  });
}
