/** What the figures of a study on a task in text say: which arm, which accuracy, which answers a point opens. */
import { describe, expect, it } from 'vitest';
import { accuracyCurve } from '../../../../../../renderer/features/study/charts/accuracyCurve.ts';
import { pickedCheckpoint, stageOf } from '../../../../../../renderer/features/study/charts/pickedCheckpoint.ts';
import { answerFacts } from '../../../../../../renderer/features/study/charts/answerFacts.ts';
import { passAtK } from '../../../../../../renderer/features/study/charts/passAtK.ts';
import { rlIterations, startsOf } from '../../../../../../renderer/features/study/charts/rlIterations.ts';
import { rlStarts } from '../../../../../../renderer/features/study/charts/rlStarts.ts';
import {
  accuracyName,
  allSeeds,
  attemptsOf,
  mainArm,
  namedEvaluation,
  seedView,
  type SeedView,
} from '../../../../../../renderer/features/study/charts/seedView.ts';
import type { Figure } from '../../../../../../renderer/figures/figure.ts';
import { lightCharts } from '../../../../../../renderer/figures/palette.ts';
import { seedResult, studyResult, textSeedResult } from '../../../studySample.ts';

const frame = { theme: lightCharts, widthPx: 1200 };
const text = seedView(studyResult([textSeedResult(0)]), 0);
const tokens = seedView(studyResult([seedResult(0)]), 0);

describe('figures of a study in text', () => {
  it('name the accuracy by its attempts', () => {
    expect([attemptsOf(tokens), attemptsOf(text)]).toEqual([null, 2]);
    expect([null, 1, 5].map(accuracyName)).toEqual(['acc@1', 'acc@1', 'acc@5-feedback']);
    expect(JSON.stringify(accuracyCurve(text, frame)!.option)).toContain('acc@2-feedback (%)');
    expect(JSON.stringify(accuracyCurve(tokens, frame)!.option)).not.toContain('feedback');
  });

  it('open the answers of a checkpoint, where answers are kept', () => {
    const { picks } = accuracyCurve(text, frame)!;
    expect(picks).toHaveLength(2 * text.seeds[0]!.sft.length);
    expect(pickedCheckpoint(picks!.at(-1)!.key)).toEqual({ seed: 0, run: 'sft', step: 500, split: 'ood' });
    expect(accuracyCurve(tokens, frame)!.picks).toBeUndefined();
  });

  /** Keys of marks that a click can hit: they have a symbol. */
  const clickable = ({ option }: Figure): string[] =>
    (option as { series: { symbol?: string; data?: { key?: string }[] }[] }).series
      .filter(({ symbol }) => symbol !== 'none')
      .flatMap(({ data = [] }) => data.flatMap(({ key }) => key ?? []));

  it.each([
    ['SFT', accuracyCurve],
    ['RL by start', rlStarts],
    ['RL by iteration', (view: SeedView) => rlIterations(view, new Map(), frame)],
  ] as const)(
    '%s: every point opens its answers, by the keyboard and by a click, of one seed and of all',
    (_, build) => {
      const both = studyResult([textSeedResult(0), textSeedResult(1)]);
      for (const [view, seeds] of [
        [text, [0]],
        [seedView(both, allSeeds), [0, 1]],
      ] as const) {
        const figure = build(view, frame)!;
        const keys = figure.picks!.map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
        expect(new Set(clickable(figure))).toEqual(new Set(keys));
        expect([...new Set(keys.map((key) => pickedCheckpoint(key).seed))]).toEqual(seeds);
        for (const key of keys) {
          const { seed, run, step, split } = pickedCheckpoint(key);
          const result = view.seeds.find((one) => one.seed === seed)!;
          const rl = result.rl.find(({ arm, startStep }) => run === `rl-${arm}-${startStep}`);
          const at = run === 'sft' ? result.sft.find((one) => one.step === step) : rl!.checkpoints.find(({ iteration }) => iteration === step); // prettier-ignore
          expect(at?.evaluation[split].n, key).toBeGreaterThan(0);
        }
      }
      const ofTokens = build(tokens, frame)!;
      expect(ofTokens.picks).toBeUndefined();
    },
  );

  it('open the stage that ran, the peak by its own name where no other start is its step', () => {
    const picked = pickedCheckpoint('1:rl-ppoPlain-20:10:ood');
    expect(picked).toEqual({ seed: 1, run: 'rl-ppoPlain-20', step: 10, split: 'ood' });
    expect(stageOf(picked, ['seed-1.rl-ppoPlain-peak', 'seed-1.rl-ppoPlain-20'])).toBe('seed-1.rl-ppoPlain-20');
    expect(stageOf(picked, ['seed-1.rl-ppoPlain-peak'])).toBe('seed-1.rl-ppoPlain-peak');
    expect(stageOf({ ...picked, run: 'sft' }, ['seed-1.sft'])).toBe('seed-1.sft');
  });

  it('take RL_End and the curve over starts from the main arm', () => {
    expect([mainArm(tokens), mainArm(text)]).toEqual(['ppoAnchor', 'ppoPlain']);
    const [seed] = text.seeds;
    const end = seed!.rl.find(({ arm, startStep }) => arm === 'ppoPlain' && startStep === 200)!;
    expect(namedEvaluation(seed!, 'rlEnd')).toEqual(end.checkpoints.at(-1)!.evaluation);
    const arms = rlStarts(text, frame)!.table.rows.map(([, arm, start]) => `${arm} ${start}`);
    expect(new Set(arms)).toEqual(
      new Set(['plain PPO 20', 'plain PPO 200', 'plain PPO 500', 'PPO + KL anchor to base 200']),
    );
    expect((rlStarts(text, frame)!.option as { legend: { data: string[] } }).legend.data).toEqual([
      'before RL (SFT)',
      'plain PPO',
      'PPO + KL anchor to base',
    ]);
  });

  it('show reward and success rate of the start that was chosen, the peak by its own name too', () => {
    expect(startsOf(text)).toEqual([20, 200, 500]);
    const rewards = (reward: number, successRate: number) => new Map([[1, { reward, successRate }]]);
    const scalars = new Map([
      ['seed-0.rl-ppoPlain-200', rewards(1, 0.1)],
      ['seed-0.rl-ppoPlain-peak', rewards(2, 0.2)],
    ]);
    const row = (start?: number) =>
      rlIterations(text, scalars, frame, start)!.table.rows.find(([, arm, at]) => arm === 'plain PPO' && at === 1);
    expect(row()?.slice(5)).toEqual([1, 0.1]);
    expect(row(20)?.slice(5)).toEqual([2, 0.2]);
  });

  it('have the facts of the answers and pass@k, and neither for a task in tokens', () => {
    const facts = answerFacts(text, frame)!.table;
    const last = facts.rows.at(-1)!;
    const cell = (column: string) => last[facts.columns.indexOf(column)];
    expect(cell('Ended by the model (% of episodes)')).toBe(99);
    expect(cell('Probability of a right result (probability (%))')).toBeCloseTo(40);
    expect(cell("Probability of a right result, the reference's alone (probability (%))")).toBeCloseTo(10);
    const peak = passAtK(text, frame)!.table.rows.filter(([name, split]) => name === 'SFT peak' && split === 'OOD');
    expect(peak.map(([, , k, value]) => [k, value])).toEqual([
      [1, 0.4],
      [2, 0.6],
      [3, 0.7],
    ]);
    expect([answerFacts(tokens, frame), passAtK(tokens, frame)]).toEqual([null, null]);
  });
});
