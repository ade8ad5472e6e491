/**
 * A thread of the worker that ends the process when its engine is gone. The main thread may be inside one long
 * TensorFlow or LAPACK call and hear nothing; this one always does.
 */
import { workerData } from 'node:worker_threads';

const { enginePid, graceMs } = workerData as { enginePid: number; graceMs: number };
const checkIntervalMs = 500;

let lostAtMs: number | null = null;
setInterval(() => {
  // The kernel gives an orphan another parent.
  if (process.ppid === enginePid) return;
  lostAtMs ??= Date.now();
  if (Date.now() - lostAtMs >= graceMs) process.kill(process.pid, 'SIGKILL');
}, checkIntervalMs);
