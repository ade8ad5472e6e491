/** Which processes a test started, however deep and whoever adopted them: they all inherit a mark. Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

export const markVariable = 'ROTASCOPE_TEST_MARK';

/** Living processes with this mark in their environment, with their command lines. Zombies are over. */
export function markedProcesses(mark: string): { pid: number; command: string }[] {
  const found: { pid: number; command: string }[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'utf8').includes(`${markVariable}=${mark}`)) continue;
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      if (command !== '') found.push({ pid: Number(name), command });
    } catch {
      // Ended while we looked, or not ours to look at.
    }
  }
  return found;
}
