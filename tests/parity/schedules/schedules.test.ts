import { describe, test } from 'vitest';
import { cosineAnnealing, cosineWithWarmup } from '../../../main/ml/training/schedules.ts';
import { expectClose } from '../compare.ts';
import { hasFixture, readJson } from '../fixtures.ts';

interface Schedules {
  tolerance: { rtol: number; atol: number };
  hf_cosine_with_warmup: { warmup: number; total: number; multiplier: number[] }[];
  torch_cosine_annealing: { lr: number; eta_min: number; t_max: number; lr_at: number[] }[];
}

/** torch computes the annealing recursively, here it is the closed form (says the fixtures' README). */
const annealingRtol = 1e-6;

if (!hasFixture('schedules.json')) test.skip('schedules.json: absent from the fixtures');
else {
  const schedules = readJson<Schedules>('schedules.json');
  describe('cosine with warm-up, as transformers has it', () => {
    test.each(schedules.hf_cosine_with_warmup)('warm-up $warmup of $total', ({ warmup, total, multiplier }) => {
      // The reference goes on past the end, where its cosine rises again; so does ours.
      const actual = multiplier.map((_, step) => cosineWithWarmup(step, warmup, total));
      expectClose('multiplier', actual, multiplier, schedules.tolerance);
    });
  });
  describe('cosine annealing, as torch has it', () => {
    test.each(schedules.torch_cosine_annealing)('to $eta_min in $t_max', ({ lr, eta_min, t_max, lr_at }) => {
      const actual = lr_at.map((_, step) => cosineAnnealing(step, lr, eta_min, t_max));
      expectClose('lr', actual, lr_at, { atol: schedules.tolerance.atol, rtol: annealingRtol });
    });
  });
}
