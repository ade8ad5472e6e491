/** NVIDIA's GPUs as `nvidia-smi`, which comes with the driver, reports them. */
import { execFileSync, type ExecFileSyncOptionsWithStringEncoding } from 'node:child_process';

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

function ask(query: string): string {
  try {
    const options: ExecFileSyncOptionsWithStringEncoding = { encoding: 'utf8', timeout: 5000, stdio: 'pipe' };
    return execFileSync('nvidia-smi', [query, '--format=csv,noheader,nounits'], options);
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

/** @param csv lines of "4711, 3120", memory in MiB or "[N/A]" */
export function parseMemoryOf(pid: number, csv: string): number | null {
  const own = rowsOf(csv).filter(([owner, used]) => Number(owner) === pid && /^\d+$/.test(used ?? ''));
  if (own.length === 0) return null;
  return own.reduce((sum, [, used]) => sum + Number(used) * bytesPerMebibyte, 0);
}
