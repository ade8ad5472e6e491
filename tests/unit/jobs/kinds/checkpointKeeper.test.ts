/** Which checkpoints stay: whatever the curve and wherever a run is cut, those asked for and the peak, and nothing else. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkpointKeeper } from '../../../../main/jobs/kinds/checkpointKeeper.ts';
import type { JobContext } from '../../../../main/jobs/jobContext.ts';

async function keep(curve: readonly number[], asked: number[] | null, cuts: readonly number[], isGiven = false) {
  const folder = await mkdtemp(join(tmpdir(), 'keeper-'));
  const [outputFolder, base] = [join(folder, 'checkpoints'), join(folder, 'base')];
  await Promise.all([mkdir(outputFolder), mkdir(base)]);
  const start = isGiven ? base : null;
  const open = () => checkpointKeeper({ folder } as JobContext, { outputFolder, start, keep: asked, episodes: 10 });
  const write = (to: string): Promise<void> => mkdir(to, { recursive: true }).then(() => undefined);
  try {
    let keeper = open();
    const said: (string | null)[] = [];
    // A cut at i: the attempt that follows goes on from an earlier step.
    const order = [...cuts.map((cut) => curve.slice(0, cut)), curve];
    for (const reached of order) {
      keeper = open();
      for (const [step, correct] of reached.entries()) said[step] = await keeper.reached(step, correct, write);
    }
    const written = (await readdir(outputFolder)).map((name) => Number(name.replace('step-', '')));
    const isThere = Object.values(keeper.kept()).every((one) => existsSync(one));
    return {
      ...{
        peakStep: keeper.peakStep(),
        written: written.sort((a, b) => a - b),
        isThere,
        baseIsThere: existsSync(base),
      },
      ...{ kept: Object.keys(keeper.kept()).map(Number), said: [...said.keys()].filter((step) => said[step] !== null) },
    };
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
      fc.boolean(),
      async (curve, askedFor, cuts, isGiven) => {
        const found = await keep(curve, askedFor, cuts, isGiven);
        expect(found.peakStep).toBe(curve.indexOf(Math.max(...curve)));
        const asked = [...new Set(askedFor)].filter((step) => step < curve.length);
        const expected = [...new Set([...asked, found.peakStep])].sort((a, b) => a - b);
        // A start that is given is nobody's to write or to remove, and is the checkpoint of step 0 all the same.
        const own = (steps: number[]): number[] => steps.filter((step) => step !== 0 || !isGiven);
        expect(found.kept).toEqual(expected);
        expect(found.written).toEqual(own(expected));
        expect(found.said).toEqual(own(asked.sort((a, b) => a - b)));
        expect(found).toMatchObject({ isThere: true, baseIsThere: true });
        const steps = curve.map((_, step) => step);
        expect(await keep(curve, null, cuts, isGiven)).toMatchObject({ written: own(steps), kept: steps });
      },
    ),
    { numRuns: 40 },
  );
});
