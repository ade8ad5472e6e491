/** A display of our own that nobody sees: Xvfb on the first free number. */
import { spawn } from 'node:child_process';
import { xvfb } from './parts.ts';

export interface Display {
  /** For the DISPLAY variable: ":99". */
  name: string;
  stop(): Promise<void>;
}

export async function startDisplay(size = { width: 1400, height: 1000 }): Promise<Display> {
  const screen = `${size.width}x${size.height}x24`;
  // Xvfb chooses the number and writes it to file descriptor 3.
  const child = spawn(xvfb.path, ['-displayfd', '3', '-screen', '0', screen, '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const number = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`Xvfb ended with ${code}.`)));
    child.stdio[3]?.once('data', (data: Buffer) => resolve(data.toString().trim()));
  });
  return {
    name: `:${number}`,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}
