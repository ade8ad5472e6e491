/**
 * Four layers of a checkpoint in the shape of Qwen2.5-7B, decomposed with peak memory and time.
 *
 *   npm run bench -- memory [--layers 4] [--threads CORES] [--float64]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchOptions, printMemory, startTurns } from './decompose.ts';
import type { TurnAnswer } from './decomposeWorker.ts';
import { qwen7b, writeSyntheticCheckpoint } from './syntheticCheckpoint.ts';

export async function run(): Promise<void> {
  const { layers, threads, precision } = benchOptions(4);
  const folder = await mkdtemp(join(tmpdir(), 'rotascope-memory-'));
  const measured = startTurns(threads);
  try {
    const checkpoint = join(folder, 'checkpoint');
    await writeSyntheticCheckpoint(checkpoint, qwen7b, { seed: 1, realLayers: layers });
    let last: TurnAnswer | null = null;
    for (let layer = 0; layer < layers; layer++) {
      const order = { folders: [checkpoint], layers: [layer], threads, precision, cacheFolder: folder };
      last = await measured.turn({ ...order, kind: 'whole' });
      console.log(`layer ${layer}: ${last.matrices} matrices in ${(last.ms / 1000).toFixed(1)} s`);
    }
    if (last) {
      console.log(`${last.kernels}, ${precision}; worst residual ${last.worstResidual.toExponential(1)}`);
      printMemory(last, threads);
    }
  } finally {
    measured.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
