/** NVIDIA's GPUs as `nvidia-smi`, which comes with the driver, reports them. */
import { execFile, execFileSync, type ExecFileSyncOptionsWithStringEncoding } from 'node:child_process';
import { promisify } from 'node:util';
import type { GpuUse } from '../contract/queue.ts';

const bytesPerMebibyte = 2 ** 20;

export interface NvidiaGpu {
  index: number;
  uuid: string;
  name: string;
  totalBytes: number;
  usedBytes: number;
}

/** @returns [] without a driver, or where it does not answer */
export function nvidiaGpus(): NvidiaGpu[] {
  return parseGpus(ask('--query-gpu=index,uuid,name,memory.total,memory.used'));
}

/** What a process has of the memory of all GPUs; null where the driver does not say. */
export function nvidiaMemoryOf(pid: number): number | null {
  return parseMemoryOf(pid, ask('--query-compute-apps=pid,used_memory'));
}

const format = '--format=csv,noheader,nounits';

/** Without holding anything up. @returns null without a driver, or where it does not answer */
export async function nvidiaUse(): Promise<GpuUse[] | null> {
  try {
    const query = '--query-gpu=name,memory.used,memory.total,utilization.gpu';
    return parseUse((await promisify(execFile)('nvidia-smi', [query, format], { timeout: 5000 })).stdout);
  } catch {
    return null;
  }
}

function ask(query: string): string {
  try {
    const options: ExecFileSyncOptionsWithStringEncoding = { encoding: 'utf8', timeout: 5000, stdio: 'pipe' };
    return execFileSync('nvidia-smi', [query, format], options);
  } catch {
    return '';
  }
}

const rowsOf = (csv: string): string[][] =>
  csv.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.split(',').map((cell) => cell.trim())]));

/** @param csv lines of "0, GPU-..., NVIDIA A10, 23028, 451", memory in MiB */
export function parseGpus(csv: string): NvidiaGpu[] {
  return rowsOf(csv).flatMap(([index = '', uuid = '', name = '', total = '', used = '']) => {
    if (!/^\d+$/.test(index)) return [];
    const [totalBytes = 0, usedBytes = 0] = [total, used].map((mebibytes) => Number(mebibytes) * bytesPerMebibyte || 0);
    return [{ index: Number(index), uuid, name, totalBytes, usedBytes }];
  });
}

/** @param csv lines of "NVIDIA A10, 451, 23028, 37", memory in MiB, use in per cent or "[N/A]" */
export function parseUse(csv: string): GpuUse[] {
  return rowsOf(csv).flatMap(([name = '', used = '', total = '', busy = '']) => {
    if (!/^\d+$/.test(total)) return [];
    const [usedBytes = 0, totalBytes = 0] = [used, total].map((mebibytes) => Number(mebibytes) * bytesPerMebibyte || 0);
    return [{ name, usedBytes, totalBytes, busyShare: /^\d+$/.test(busy) ? Number(busy) / 100 : null }];
  });
}

/** @param csv lines of "4711, 3120", memory in MiB or "[N/A]" */
export function parseMemoryOf(pid: number, csv: string): number | null {
  const own = rowsOf(csv).filter(([owner, used]) => Number(owner) === pid && /^\d+$/.test(used ?? ''));
  if (own.length === 0) return null;
  return own.reduce((sum, [, used]) => sum + Number(used) * bytesPerMebibyte, 0);
}
