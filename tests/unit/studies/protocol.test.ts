import { describe, expect, it } from 'vitest';
import {
  analyseRequestSchema,
  decomposeRequestSchema,
  rlRequestSchema,
  sftRequestSchema,
} from '../../../main/contract/requests.ts';
import { studySettingsSchema, type StudySettings } from '../../../main/contract/settings.ts';
import type { SeedResult } from '../../../main/contract/studyResult.ts';
import { checkpointsAtMost, protocol } from '../../../main/studies/protocol.ts';
import type { StageFacts } from '../../../main/studies/plan.ts';

const settings = studySettingsSchema.parse({ seeds: [4, 5] });
const folders = Object.fromEntries(settings.sft.checkpoints.map((step) => [String(step), `/sft/${step}`]));
function facts(peakStep: number): StageFacts {
  const outputs = new Map<string, unknown>();
  for (const seed of settings.seeds) {
    outputs.set(`seed-${seed}.pretrain`, { base: `/base-${seed}` });
    outputs.set(`seed-${seed}.sft`, { checkpoints: folders, peakStep });
    outputs.set(`seed-${seed}.rl-ppoAnchor-200`, { folder: '/rl-end', startRewardShare: 0.7, startEntropy: 0.1 });
  }
  const seedResult = (seed: number): SeedResult =>
    ({ seed, sft: [], penalisedSft: [], peakStep, endStep: 200,
    trainingData: null,
    mainArm: 'ppoAnchor', rl: [], ablations: [], spectra: [], verdicts: null }); // prettier-ignore
  return { settings, studyFolder: '/study', outputs, seedResult };
}

describe('the miniature plan', () => {
  const stages = protocol.plan(settings);
  it('runs the anchored arm from all six starts and both control arms from SFT_End, for every seed', () => {
    const runs = stages.filter((stage) => stage.kind === 'rl' && stage.seed === 4).map((stage) => stage.id);
    expect(runs.sort()).toEqual(
      ['anchorOnly-200', 'ppoAnchor-0', 'ppoAnchor-100', 'ppoAnchor-200', 'ppoAnchor-300', 'ppoAnchor-500', 'ppoAnchor-peak', 'ppoPlain-200'].map((name) => `seed-4.rl-${name}`), // prettier-ignore
    );
  });
  it('names every stage once and depends only on stages listed before', () => {
    const seen = new Set<string>();
    for (const stage of stages) {
      expect(seen.has(stage.id)).toBe(false);
      for (const before of stage.dependsOn) expect(seen.has(before), `${stage.id} after ${before}`).toBe(true);
      seen.add(stage.id);
    }
  });
  it('starts RL from the checkpoint of its step, anchored to the base of its own seed', () => {
    const stage = stages.find((one) => one.id === 'seed-5.rl-ppoAnchor-peak')!;
    const resolved = protocol.resolve(stage, facts(20));
    const request = rlRequestSchema.parse((resolved as { request: unknown }).request);
    expect(request).toMatchObject({ startStep: 20, start: '/sft/20', base: '/base-5', arm: 'ppoAnchor', seed: 5 });
  });
  it('does not run the peak twice when it is one of the other starts', () => {
    const stage = stages.find((one) => one.id === 'seed-4.rl-ppoAnchor-peak')!;
    expect(protocol.resolve(stage, facts(100))).toMatchObject({ skip: true });
  });
  it('decomposes base, peak, SFT_End, last and RL_End', () => {
    const stage = stages.find((one) => one.id === 'seed-4.decompose')!;
    const { request } = protocol.resolve(stage, facts(20)) as { request: unknown };
    expect(decomposeRequestSchema.parse(request).checkpoints).toEqual({
      base: '/base-4',
      peak: '/sft/20',
      end: '/sft/200',
      last: '/sft/500',
      rlEnd: '/rl-end',
    });
  });
  it('analyses each seed, then all together', () => {
    const { request } = protocol.resolve(stages.at(-1)!, facts(20)) as { request: unknown };
    expect(analyseRequestSchema.parse(request).seeds.map((one) => one.seed)).toEqual([4, 5]);
  });
});

describe('checkpoints kept', () => {
  const rlKeep = (of: StudySettings): unknown => {
    const stage = stages.find((one) => one.id === 'seed-4.rl-ppoAnchor-200')!;
    const { request } = protocol.resolve(stage, { ...facts(20), settings: of }) as { request: unknown };
    return rlRequestSchema.parse(request).keep;
  };
  const stages = protocol.plan(settings);
  it('are all that are evaluated', () => {
    expect(rlKeep(settings)).toBeNull();
    expect(checkpointsAtMost(settings)).toEqual({ sft: 17, rl: 4 });
    expect(checkpointsAtMost({ ...settings, rl: { ...settings.rl, evaluateEvery: 9 } }).rl).toBe(5);
  });
  it('are the named ones when asked: of RL the last, beside the best', () => {
    const named = studySettingsSchema.parse({ disk: { keep: 'named' } });
    expect(rlKeep(named)).toEqual([40]);
    // 0, 100, 200, 300, 500; the peak, and the one before it while the next is written
    expect(checkpointsAtMost(named)).toEqual({ sft: 7, rl: 3 });
    expect(checkpointsAtMost({ ...named, rl: { ...named.rl, evaluateEvery: 40 } }).rl).toBe(1);
  });
});

describe('settings', () => {
  it.each([
    [{ sft: { endStep: 7 } }, 'SFT_End (step 7) is not among the checkpoints.'],
    [{ rl: { starts: [11] } }, 'RL start 11 is not an SFT checkpoint.'],
    [{ seeds: [1, 1] }, 'A seed is listed twice.'],
    [{ model: { numKeyValueHeads: 3 } }, 'The number of heads has to be a multiple of the number of KV heads.'],
  ])('refuse %j', (input, message) => {
    const issues = studySettingsSchema.safeParse(input).error?.issues.map((issue) => issue.message);
    expect(issues).toContain(message);
  });
});

describe('the comparison of remedies', () => {
  const comparison = studySettingsSchema.parse({ preset: 'comparison', seeds: [4] });
  const stages = protocol.plan(comparison);
  it('has SFT with and without the penalty and RL in three arms from SFT_End, and no spectra or reversions', () => {
    expect(stages.map(({ id }) => id)).toEqual([
      'seed-4.pretrain',
      'seed-4.sft',
      'seed-4.sft-penalty',
      'seed-4.rl-ppoAnchor-200',
      'seed-4.rl-ppoPlain-200',
      'seed-4.rl-anchorOnly-200',
      'seed-4.analyse',
      'analyse',
    ]);
  });
  it('runs both from one base with one setting different, in folders of their own', () => {
    const requestOf = (id: string) => {
      const stage = stages.find((one) => one.id === id)!;
      const { request } = protocol.resolve(stage, { ...facts(20), settings: comparison }) as { request: unknown };
      return sftRequestSchema.parse(request);
    };
    const [plain, penalised] = [requestOf('seed-4.sft'), requestOf('seed-4.sft-penalty')];
    expect(penalised.outputFolder).not.toBe(plain.outputFolder);
    expect(plain.sft.rotationPenalty.coefficient).toBe(0);
    expect(penalised.sft).toEqual({ ...plain.sft, rotationPenalty: comparison.comparison.rotationPenalty });
    expect([penalised.base, penalised.seed]).toEqual([plain.base, plain.seed]);
  });
});

describe('the plan of a study that starts from a checkpoint', () => {
  const base = { folder: '/base', name: 'B', contentHash: 'x', parameters: 1_000_000 };
  const paper = studySettingsSchema.parse({
    preset: 'paper',
    seeds: [4],
    base,
    task: { name: 'rank' },
    sft: { steps: 8, endStep: 6, checkpoints: [0, 2, 4, 6, 8] },
    rl: { starts: [0, 'peak'], controlArms: ['ppoAnchor'] },
    disk: { keep: 'named' },
  });
  const stages = protocol.plan(paper);
  const at = (peakStep: number, ...steps: number[]): StageFacts => {
    const checkpoints = Object.fromEntries(steps.map((step) => [String(step), step === 0 ? '/base' : `/sft/${step}`]));
    return { ...facts(peakStep), settings: paper, outputs: new Map([['seed-4.sft', { checkpoints, peakStep }]]) };
  };

  it('has neither pretraining nor spectra; plain PPO from every start, as published', () => {
    expect(stages.map(({ id }) => id)).toEqual([
      'seed-4.sft',
      'seed-4.rl-ppoPlain-6',
      'seed-4.rl-ppoAnchor-6',
      'seed-4.rl-ppoPlain-0',
      'seed-4.rl-ppoPlain-peak',
      'seed-4.analyse',
      'analyse',
    ]);
    expect(stages[0]!.dependsOn).toEqual([]);
  });

  it('SFT starts from the checkpoint and keeps what later stages start from', () => {
    const { request } = protocol.resolve(stages[0]!, at(0)) as { request: unknown };
    expect(sftRequestSchema.parse(request)).toMatchObject({ base: '/base', keep: [0, 6, 8], task: { name: 'rank' } });
  });

  it('RL starts from the checkpoints that SFT has left, single-stage RL from the base', () => {
    const requestOf = (name: string, from: StageFacts) => {
      const stage = stages.find(({ id }) => id === `seed-4.${name}`)!;
      return rlRequestSchema.parse((protocol.resolve(stage, from) as { request: unknown }).request);
    };
    const peakAt4 = at(4, 0, 4, 6, 8);
    expect(requestOf('rl-ppoPlain-6', peakAt4)).toMatchObject({ start: '/sft/6', base: '/base', startStep: 6 });
    expect(requestOf('rl-ppoPlain-peak', peakAt4)).toMatchObject({ start: '/sft/4', startStep: 4 });
    expect(requestOf('rl-ppoPlain-0', peakAt4)).toMatchObject({ start: '/base', arm: 'ppoPlain' });
  });

  it('the comparison of remedies does without spectra too, and has the penalised run', () => {
    const comparison = studySettingsSchema.parse({ ...paper, preset: 'comparison' });
    const ids = protocol.plan(comparison).map(({ id }) => id);
    expect(ids).toEqual(['seed-4.sft', 'seed-4.sft-penalty', 'seed-4.rl-ppoAnchor-6', 'seed-4.analyse', 'analyse']);
  });
});
