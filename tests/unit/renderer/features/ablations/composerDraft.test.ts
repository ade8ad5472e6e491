import { describe, expect, it } from 'vitest';
import { taskSettingsSchema } from '../../../../../main/contract/settings.ts';
import { sweepOrderSchema } from '../../../../../main/contract/sweeps.ts';
import {
  changedFields,
  draftFrom,
  draftOfSweep,
  orderFromDraft,
  paperDraft,
  stageLacks,
  type ComposerContext,
  type ComposerDraft,
} from '../../../../../renderer/features/ablations/composerDraft.ts';

const named = { base: 'b', peak: 'p', end: 'e', last: 'l', rlEnd: 'r' };
const context: ComposerContext = {
  named,
  studyName: 'Sample study',
  task: taskSettingsSchema.parse({ evaluationEpisodes: 400, evaluationSeed: 7 }),
  nameOf: (id) => `checkpoint ${id}`,
};
const paper: ComposerDraft = { ...paperDraft, studyId: 's' };
function ordered(draft: ComposerDraft, of: ComposerContext = context) {
  const result = orderFromDraft(draft, of);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.order;
}
function refused(draft: ComposerDraft, of: ComposerContext = context) {
  const result = orderFromDraft(draft, of);
  if (result.ok) throw new Error('accepted');
  return result.errors;
}

describe("the paper's four", () => {
  it('untouched is both stages with the defaults of the contract, on the episodes of the study', () => {
    const order = ordered(paper);
    const pairs = [
      { label: 'SFT stage', stage: 'sft', referenceId: 'p', targetId: 'e' },
      { label: 'RL stage', stage: 'rl', referenceId: 'e', targetId: 'r' },
    ];
    const settings = { sweep: { kind: 'reversion' }, task: { evaluationEpisodes: 400, evaluationSeed: 7 } };
    const name = "The paper's four ablations: Sample study, seed 0";
    expect(order).toEqual(sweepOrderSchema.parse({ name, pairs, settings }));
  });
  it('leaves out a stage that is not there, and says what it lacks', () => {
    const without = { ...context, named: { ...named, rlEnd: null } };
    expect(ordered(paper, without).pairs.map(({ stage }) => stage)).toEqual(['sft']);
    expect(stageLacks('rl', without.named)).toBe('RL_End of this seed is not in the catalogue.');
    expect(stageLacks('sft', named)).toBeNull();
    expect(stageLacks('sft', { ...named, peak: 'e' })).toContain('nothing to go back to');
    expect(refused(paper, { ...context, named: { ...named, rlEnd: null, peak: null } })).toHaveProperty('stages');
  });
  it('waits for the checkpoints of the study', () => {
    expect(refused(paper, { ...context, named: null })['']).toContain('Looking up');
    expect(refused(paperDraft)).toHaveProperty('studyId');
  });
});

describe('composing', () => {
  const chosen: ComposerDraft = { ...paperDraft, source: 'checkpoints', referenceId: 'x', targetId: 'y' };
  it('reads lists and numbers', () => {
    const order = ordered({ ...chosen, layerCounts: '1, 2 4', rankCounts: '8;16', scrambled: '19', episodes: '40' });
    expect(order.settings.sweep).toMatchObject({
      layerCounts: [1, 2, 4],
      rankCounts: [8, 16],
      controls: { scrambled: 19 },
    });
    expect(order.settings.task.evaluationEpisodes).toBe(40);
    expect(order.name).toBe('checkpoint y towards checkpoint x');
  });
  it('does not take the episodes of a study that is not the source', () => {
    expect(ordered(chosen).settings.task).toEqual(taskSettingsSchema.parse({}));
  });
  it.each([
    [{ referenceId: '' }, 'referenceId'],
    [{ targetId: '' }, 'targetId'],
    [{ targetId: 'x' }, 'targetId'],
    [{ layerCounts: '1, many' }, 'layerCounts'],
    [{ rankCounts: '0' }, 'rankCounts'],
    [{ rotation: '-1' }, 'rotation'],
    [{ episodes: '5' }, 'episodes'],
    [{ reverts: [] }, 'reverts'],
    [{ axes: [] }, 'axes'],
    [{ seed: '' }, 'seed'],
    [{ kind: 'interpolation', alphas: '3' }, 'alphas'],
    [{ kind: 'interpolation', thirdId: 'x' }, 'thirdId'],
  ] as [Partial<ComposerDraft>, string][])('%j is refused at its field', (more, field) => {
    expect(Object.keys(refused({ ...chosen, ...more }))).toEqual([field]);
  });
  it('a line goes on from the reference to a third checkpoint; of a study, from RL_End back to the peak', () => {
    const line: ComposerDraft = { ...chosen, kind: 'interpolation', thirdId: 'z' };
    expect(ordered(line).pairs.map(({ targetId, referenceId }) => [targetId, referenceId])).toEqual([
      ['y', 'x'],
      ['x', 'z'],
    ]);
    const ofStudy = ordered({ ...paper, kind: 'interpolation' });
    expect(ofStudy.pairs.map(({ targetId, referenceId }) => [targetId, referenceId])).toEqual([
      ['r', 'e'],
      ['e', 'p'],
    ]);
  });
});

it('remembers only what was changed, and reads it back whatever else is stored', () => {
  const draft: ComposerDraft = { ...paper, axes: ['grid'], dose: false };
  expect(changedFields(draft)).toEqual({ studyId: 's', axes: ['grid'], dose: false });
  expect(draftFrom({ ...changedFields(draft), unknown: 1, seed: 3, stages: 'sft' })).toEqual(draft);
});

describe('a sweep back in the fields', () => {
  const refs = (id: string) => ({ id, name: id, folder: `/${id}`, step: null, contentHash: null });
  const again = (draft: ComposerDraft, origin: Parameters<typeof draftOfSweep>[1]) => {
    const order = ordered(draft);
    const pairs = order.pairs.map((pair) => ({
      ...pair,
      reference: refs(pair.referenceId),
      target: refs(pair.targetId),
    }));
    return ordered(draftOfSweep({ ...order, pairs }, origin));
  };
  it.each([
    [
      'of a study',
      { ...paper, studySeed: 2, axes: ['grid'], rotation: '1', layerCounts: '1, 2', precision: 'float64' },
    ],
    ['of any two', { ...paperDraft, source: 'checkpoints', referenceId: 'x', targetId: 'y', episodes: '40' }],
    [
      'a line',
      { ...paperDraft, source: 'checkpoints', kind: 'interpolation', referenceId: 'x', targetId: 'y', thirdId: 'z' },
    ],
  ] as [string, ComposerDraft][])('%s makes the same order', (_name, draft) => {
    const known = draft.source === 'study';
    expect(again(draft, () => (known ? { studyId: 's', seed: draft.studySeed } : null))).toEqual(ordered(draft));
  });
  it('the order of the clicks changes nothing', () => {
    const clicked: ComposerDraft = {
      ...paper,
      axes: ['ranks', 'layers'],
      reverts: ['singularVectors', 'singularValues'],
    };
    expect(ordered({ ...clicked, name: 'x' })).toEqual(ordered({ ...paper, name: 'x' }));
  });
});
