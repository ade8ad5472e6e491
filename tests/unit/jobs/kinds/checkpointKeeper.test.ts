/** Which checkpoints stay: whatever the curve and wherever a run is cut, those asked for and the peak, and nothing else. */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkpointKeeper } from '../../../../main/jobs/kinds/checkpointKeeper.ts';
import type { JobContext } from '../../../../main/jobs/jobContext.ts';

async function keep(curve: readonly number[], asked: number[] | null, cuts: readonly number[]) {
  const folder = await mkdtemp(join(tmpdir(), 'keeper-'));
  const checkpoints = join(folder, 'checkpoints');
  await mkdir(checkpoints);
  const folderOf = (step: number): string => join(checkpoints, String(step));
  const open = () => checkpointKeeper({ folder } as JobContext, { folderOf, keep: asked, episodes: 10 });
  try {
    let keeper = open();
    // A cut at i: the attempt that follows goes on from an earlier step.
    const order = [...cuts.map((cut) => curve.slice(0, cut)), curve];
    for (const reached of order) {
      keeper = open();
      for (const [step, correct] of reached.entries())
        await keeper.reached(step, correct, () => mkdir(folderOf(step), { recursive: true }).then(() => undefined));
    }
    return { peakStep: keeper.peakStep(), kept: (await readdir(checkpoints)).map(Number).sort((a, b) => a - b) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('the peak and what was asked for stay, also when attempts come again to known steps', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(7), { maxLength: 3 }),
      fc.array(fc.nat(8), { maxLength: 2 }),
      async (curve, askedFor, cuts) => {
        const { peakStep, kept } = await keep(curve, askedFor, cuts);
        expect(peakStep).toBe(curve.indexOf(Math.max(...curve)));
        const expected = new Set([...askedFor.filter((step) => step < curve.length), peakStep]);
        expect(kept).toEqual([...expected].sort((a, b) => a - b));
        expect((await keep(curve, null, cuts)).kept).toEqual(curve.map((_, step) => step));
      },
    ),
    { numRuns: 25 },
  );
});
