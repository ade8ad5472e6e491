/** How many jobs may compute side by side. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Distinct (socket, core) pairs of Linux's /proc/cpuinfo; null when it does not say (some virtual machines, ARM). */
export function countPhysicalCores(cpuinfo: string): number | null {
  const cores = new Set<string>();
  for (const block of cpuinfo.split(/\n\s*\n/)) {
    const socket = /^physical id\s*:\s*(\d+)/m.exec(block)?.[1];
    const core = /^core id\s*:\s*(\d+)/m.exec(block)?.[1];
    if (core !== undefined) cores.add(`${socket ?? 0}:${core}`);
  }
  return cores.size > 0 ? cores.size : null;
}

function ofMachine(): number | null {
  try {
    if (process.platform === 'linux') return countPhysicalCores(readFileSync('/proc/cpuinfo', 'utf8'));
    if (process.platform === 'darwin')
      return Number(execFileSync('/usr/sbin/sysctl', ['-n', 'hw.physicalcpu'], { encoding: 'utf8' })) || null;
  } catch {
    // Not readable here: fall through to what Node knows.
  }
  return null;
}

/**
 * Physical cores that this process may use: hyperthreads share one core's arithmetic, and a container or an affinity
 * mask may leave fewer than the machine has.
 */
export function physicalCores(): number {
  return Math.max(1, Math.min(availableParallelism(), ofMachine() ?? availableParallelism()));
}
