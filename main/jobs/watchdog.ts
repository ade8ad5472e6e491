/**
 * A thread of the worker that ends the process when its engine is gone, and says what the process uses. The main thread
 * may be inside one long TensorFlow or LAPACK call and hear and say nothing; this one always does.
 */
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { usagePipe } from './workerUse.ts';
import type { WorkerUse } from './workerUse.ts';

const { enginePid, graceMs } = workerData as { enginePid: number; graceMs: number };
const checkIntervalMs = 500;
const useIntervalMs = 1000;

function sayUse(): void {
  const { user, system } = process.cpuUsage();
  const use: WorkerUse = {
    cpuMs: (user + system) / 1000,
    timeMs: performance.timeOrigin + performance.now(),
    rssBytes: process.memoryUsage.rss(),
  };
  try {
    writeSync(usagePipe, `${JSON.stringify(use)}\n`);
  } catch {
    // The engine is gone, or too busy to read: this worker's numbers are not worth more.
  }
}

let lostAtMs: number | null = null;
setInterval(() => {
  // The kernel gives an orphan another parent.
  if (process.ppid === enginePid) return;
  lostAtMs ??= Date.now();
  if (Date.now() - lostAtMs >= graceMs) process.kill(process.pid, 'SIGKILL');
}, checkIntervalMs);
sayUse();
setInterval(sayUse, useIntervalMs);
