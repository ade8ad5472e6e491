/**
 * The long run: `npm run fuzz -- --count 1000000 --seed 1`. So many mutated headers, then as many shard indexes; each has to be
 * accepted or refused with a code, in under a second and 64 MB. Prints the counts per code, the slowest case and the memory,
 * and names a fault by its seed and case, which `--only CASE` repeats.
 *
 * The cases run in a thread of their own, so that a case that hangs is seen and named. Memory is read around every case
 * (heap and buffers of the thread), and the peak of the whole process is the system's own figure.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { parseArgs } from 'node:util';
import { randomMutations } from './randomMutations.ts';
import { codeOf, headerTarget, indexTarget, type FuzzTarget } from './targets.ts';

const targets = { headers: headerTarget, indexes: indexTarget };
type TargetName = keyof typeof targets;

const memoryLimitBytes = 64 * 1024 * 1024;
const slowestAllowedMs = 1000;
/** A case that takes longer hangs. */
const hangMs = 20_000;
/** Garbage of so many cases is collected, so that the process's peak is that of a case and not of all together. */
const collectEvery = 2000;

interface Order {
  name: TargetName;
  seed: number;
  from: number;
  to: number;
  progress: SharedArrayBuffer;
}
interface Findings {
  codes: Record<string, number>;
  slowest: { ms: number; index: number };
  largest: { bytes: number; index: number };
}

function runCase(target: FuzzTarget, file: Buffer): string {
  let value: unknown;
  try {
    value = target.read(file);
  } catch (error) {
    return codeOf(error);
  }
  target.checkAccepted(value, file);
  return 'accepted';
}

const bytesInUse = (): number => {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

function runCases({ name, seed, from, to, progress }: Order): Findings {
  const target = targets[name];
  const current = new Int32Array(progress);
  const before = Reflect.ownKeys(Object.prototype).length;
  const found: Findings = { codes: {}, slowest: { ms: 0, index: -1 }, largest: { bytes: 0, index: -1 } };
  for (let index = from; index < to; index++) {
    Atomics.store(current, 0, index);
    if (index % collectEvery === 0) globalThis.gc?.();
    const file = randomMutations(target, seed, index);
    const bytes = bytesInUse();
    const startMs = performance.now();
    let code: string;
    try {
      code = runCase(target, file);
    } catch (error) {
      throw new Error(
        `${name}, seed ${seed}, case ${index}: ${String(error)}\n${JSON.stringify(file.toString('latin1'))}`,
      );
    }
    const ms = performance.now() - startMs;
    const grown = bytesInUse() - bytes;
    found.codes[code] = (found.codes[code] ?? 0) + 1;
    if (ms > found.slowest.ms) found.slowest = { ms, index };
    if (grown > found.largest.bytes) found.largest = { bytes: grown, index };
  }
  if (Reflect.ownKeys(Object.prototype).length !== before) throw new Error(`${name}: Object.prototype was changed`);
  return found;
}

/** @throws what a case threw, or that a case hangs, with its number */
function inThread(order: Omit<Order, 'progress'>): Promise<Findings> {
  const progress = new SharedArrayBuffer(4);
  const current = new Int32Array(progress);
  const thread = new Worker(new URL(import.meta.url), { workerData: { ...order, progress } });
  return new Promise((resolve, reject) => {
    let last = -1;
    const watch = setInterval(() => {
      const index = Atomics.load(current, 0);
      if (index === last) {
        clearInterval(watch);
        void thread.terminate();
        reject(new Error(`${order.name}, seed ${order.seed}, case ${index} hangs.`));
      }
      last = index;
    }, hangMs);
    thread.once('message', (found: Findings) => {
      clearInterval(watch);
      resolve(found);
    });
    thread.once('error', (error) => {
      clearInterval(watch);
      reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
}

const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;

/** @returns whether everything stayed within its limits */
async function fuzz(name: TargetName, seed: number, from: number, to: number): Promise<boolean> {
  // Compiles everything once: the peak below is that of the cases.
  await inThread({ name, seed: seed + 1, from: 0, to: Math.min(5000, to - from) });
  const peakBefore = process.resourceUsage().maxRSS * 1024;
  const startMs = performance.now();
  const { codes, slowest, largest } = await inThread({ name, seed, from, to });
  const grown = process.resourceUsage().maxRSS * 1024 - peakBefore;
  const seconds = (performance.now() - startMs) / 1000;
  console.log(`${(to - from).toLocaleString('en')} mutated ${name}, seed ${seed}, ${seconds.toFixed(0)} s`);
  for (const [code, count] of Object.entries(codes).sort((a, b) => b[1] - a[1]))
    console.log(`  ${code.padEnd(20)} ${count.toLocaleString('en').padStart(10)}`);
  console.log(`  slowest case ${slowest.ms.toFixed(1)} ms (case ${slowest.index})`);
  console.log(`  largest growth of heap and buffers in a case ${megabytes(largest.bytes)} (case ${largest.index})`);
  console.log(`  peak of the process above its peak after warming up ${megabytes(grown)}`);
  return slowest.ms < slowestAllowedMs && largest.bytes < memoryLimitBytes && grown < memoryLimitBytes;
}

async function main(): Promise<number> {
  const options = { count: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } } as const;
  const { values } = parseArgs({ options });
  const seed = Number(values.seed ?? 1);
  const first = values.only === undefined ? 0 : Number(values.only);
  const count = values.only === undefined ? Number(values.count ?? 100_000) : 1;
  if (![seed, first, count].every((value) => Number.isSafeInteger(value) && value >= 0) || count === 0) {
    console.error('Usage: npm run fuzz -- [--count N] [--seed S] [--only CASE]');
    return 2;
  }
  const within = [];
  for (const name of Object.keys(targets) as TargetName[]) within.push(await fuzz(name, seed, first, first + count));
  if (within.includes(false)) console.error('A limit was passed: 1 s or 64 MB a case.');
  return within.includes(false) ? 1 : 0;
}

if (isMainThread) process.exitCode = await main();
else parentPort!.postMessage(runCases(workerData as Order));
