/** The composer's rules: trajectories, presets, settings, pins, and what a comparison is called. */
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../../../../main/contract/api.ts';
import { comparisonSettingsSchema } from '../../../../../main/contract/spectral.ts';
import {
  initialDraft,
  layersFrom,
  pairPresets,
  selectionProblem,
  settingsFrom,
  trajectoryOf,
} from '../../../../../renderer/features/spectrum/comparisonForm.ts';
import { comparisonTitle, settingsWords } from '../../../../../renderer/features/spectrum/comparisonWords.ts';
import { mostPins, pinsFrom, pinsText, togglePin } from '../../../../../renderer/features/spectrum/pins.ts';
import { byPlace, resultTable, summaryColumns } from '../../../../../renderer/features/spectrum/summaryTable.ts';
import { comparisonSample, refOf, summaryOf } from '../../spectralSample.ts';
import { checkpointSample as checkpoint } from '../../checkpointSample.ts';

const ids = (list: Checkpoint[]): string[] => list.map(({ id }) => id);

describe('trajectoryOf', () => {
  it('is the steps of one run, in order', () => {
    const all = [
      checkpoint('c', { trajectory: 'run', step: 300 }),
      checkpoint('a', { trajectory: 'run', step: 100 }),
      checkpoint('other', { trajectory: 'another', step: 200 }),
      checkpoint('final', { trajectory: 'run' }),
    ];
    expect(ids(trajectoryOf(all[0], all))).toEqual(['a', 'c']);
    expect(trajectoryOf(all[2], all)).toEqual([]);
    expect(trajectoryOf(undefined, all)).toEqual([]);
  });
  it('is the stage of a study and seed, where checkpoints are named by their step', () => {
    const of = { studyId: 's', seed: 0 };
    const all = [
      checkpoint('sft200', { ...of, step: 200, name: 'SFT on ID data · seed 0 · step 200' }),
      checkpoint('sft20', { ...of, step: 20, name: 'SFT on ID data · seed 0 · step 20' }),
      checkpoint('rl', { ...of, step: 20, name: 'RL with anchor · seed 0 · iteration 20' }),
      checkpoint('seed1', { ...of, seed: 1, step: 20, name: 'SFT on ID data · seed 0 · step 20' }),
      checkpoint('base', { ...of, name: 'Base · seed 0' }),
    ];
    expect(ids(trajectoryOf(all[0], all))).toEqual(['sft20', 'sft200']);
    expect(trajectoryOf(all[4], all)).toEqual([]);
  });
});

describe('pairPresets', () => {
  it('are the pairs that are there; RL beside the way back to the peak', () => {
    expect(pairPresets({ base: 'b', peak: 'p', end: 'e', last: 'l', rlEnd: 'r' })).toEqual([
      { label: 'SFT peak → SFT_End', reference: 'p', targets: ['e'], restoration: '' },
      { label: 'SFT_End → RL_End', reference: 'e', targets: ['r'], restoration: 'p' },
      { label: 'base → SFT_End', reference: 'b', targets: ['e'], restoration: '' },
    ]);
    expect(pairPresets({ base: 'b', peak: null, end: 'e', rlEnd: null })).toHaveLength(1);
    expect(pairPresets({ peak: 'e', end: 'e' })).toEqual([]);
  });
});

describe('settings', () => {
  it.each([
    ['', null],
    ['7', [7]],
    ['0-2, 7', [0, 1, 2, 7]],
    ['3, 1, 2-3', [1, 2, 3]],
  ])('layers "%s"', (text, layers) => {
    expect(layersFrom(text)).toEqual(layers);
  });
  it.each(['a', '1,,2', '-1', '3-1', '1.5'])('no layers: "%s"', (text) => {
    expect(layersFrom(text)).toHaveProperty('error');
  });
  it('of the first draft are the contract defaults', () => {
    const { settings, errors } = settingsFrom(initialDraft);
    expect(errors).toEqual({});
    expect(comparisonSettingsSchema.parse(settings)).toEqual(comparisonSettingsSchema.parse({}));
  });
  it('take a number of ranks, and name what is wrong', () => {
    expect(settingsFrom({ ...initialDraft, rankBy: 'rank', rank: '64' }).settings.angleRank).toEqual({ rank: 64 });
    expect(Object.keys(settingsFrom({ ...initialDraft, rank: '0', matrices: '', layers: 'x' }).errors).sort()).toEqual([
      'layers',
      'matrices',
      'rank',
    ]);
    expect(settingsFrom({ ...initialDraft, rankBy: 'rank', rank: '1.5' }).errors.rank).toBeDefined();
    expect(settingsFrom({ ...initialDraft, rank: '' }).errors.rank).toBeDefined();
  });
});

describe('selectionProblem', () => {
  it('says what is missing, and passes what can be compared', () => {
    expect(selectionProblem({ reference: '', targets: [], restoration: '' })).toContain('reference');
    expect(selectionProblem({ reference: 'a', targets: [], restoration: '' })).toContain('target');
    expect(selectionProblem({ reference: 'a', targets: ['a'], restoration: '' })).toContain('same');
    expect(selectionProblem({ reference: 'a', targets: ['b'], restoration: 'a' })).toContain('restoration');
    expect(selectionProblem({ reference: 'a', targets: ['b'], restoration: 'c' })).toBeNull();
  });
});

describe('pins', () => {
  const cell = (weight: string) => ({ id: 'job', target: 0, weight });
  it('come and go, in their order, up to six', () => {
    let pins = ['a', 'b'].reduce((list, weight) => togglePin(list, cell(weight)), [] as ReturnType<typeof togglePin>);
    expect(pins.map(({ weight }) => weight)).toEqual(['a', 'b']);
    pins = togglePin(pins, cell('a'));
    expect(pins.map(({ weight }) => weight)).toEqual(['b']);
    for (const weight of 'cdefgh') pins = togglePin(pins, cell(weight));
    expect(pins).toHaveLength(mostPins);
    expect(togglePin(pins, cell('b'))).toHaveLength(mostPins - 1);
  });
  it('go through a link, whatever their names; what is no cell is left out', () => {
    const pins = ['model.layers.0.mlp', 'a,b:c %', 'é~'].map((weight, target) => ({ id: 'a:job,1', target, weight }));
    expect(pinsFrom(pinsText(pins))).toEqual(pins);
    expect(pinsFrom(`x,${pinsText(pins.slice(0, 1))},a:-1:b,a:1:%,a:1.5:b,:1:b`)).toEqual(pins.slice(0, 1));
    expect(pinsFrom('')).toEqual([]);
    expect(pinsFrom(Array.from({ length: 9 }, () => 'a:0:b').join())).toHaveLength(mostPins);
  });
});

describe('words and tables', () => {
  it('names a pair and a trajectory', () => {
    expect(comparisonTitle({ reference: refOf('peak'), targets: [refOf('end')] })).toBe('peak → end');
    const named = (name: string) => refOf(`SFT · seed 0 · ${name}`);
    expect(comparisonTitle({ reference: named('step 20'), targets: [named('step 200')] })).toBe(
      'SFT · seed 0: step 20 → step 200',
    );
    expect(comparisonTitle({ reference: named('a'), targets: [named('a')] })).toBe('SFT · seed 0: a → a');
    expect(comparisonTitle(comparisonSample([10, 20, 40]))).toBe('base → 3 checkpoints, step 10 to step 40');
    expect(settingsWords(comparisonSample([10]))).toBe('q up · all layers · angles at 50 % of the ranks · float32');
  });
  it('has every number of the contract in the CSV, a row a matrix and target', () => {
    const table = resultTable(comparisonSample([10, 20]));
    expect(table.columns).toEqual(['reference', 'target', 'step', ...summaryColumns]);
    expect(table.columns).toEqual(expect.arrayContaining(['rows', 'columns', 'bf16Floor', 'restorationCosine']));
    expect(table.rows).toHaveLength(8);
    for (const row of table.rows) expect(row).toHaveLength(table.columns.length);
    expect(table.rows[4]!.slice(0, 3)).toEqual(['base', 'target 1', 20]);
  });
  it('sorts rows that came in any order', () => {
    const rows = [summaryOf(1, 'q'), summaryOf(0, 'up'), summaryOf(0, 'q')];
    expect(byPlace(rows).map(({ layer, matrix }) => `${layer} ${matrix}`)).toEqual(['0 q', '0 up', '1 q']);
  });
});
