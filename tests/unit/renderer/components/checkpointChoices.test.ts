import { describe, expect, it } from 'vitest';
import { checkpointChoices } from '../../../../renderer/components/checkpointChoices.ts';
import { checkpointSample as checkpoint } from '../checkpointSample.ts';

const ofStudy = { studyId: 's', seed: 0 };
const catalogue = [
  checkpoint('SFT step 200', { ...ofStudy, step: 200 }),
  checkpoint('imported'),
  checkpoint('RL with anchor to base', { ...ofStudy, step: 40 }),
  checkpoint('Base', ofStudy),
  checkpoint('run-20', { trajectory: 'run', step: 20 }),
  checkpoint('run-9', { trajectory: 'run', step: 9 }),
];
const studies = new Map([['s', 'Sample study']]);
const names = (query: string, limit = 80) =>
  checkpointChoices(catalogue, studies, query, limit).groups.map(({ label, list }) => [
    label,
    list.map(({ name }) => name),
  ]);

describe('the choices of a picker', () => {
  it('are grouped by study and seed, trajectory, or neither, each in step order', () => {
    expect(names('')).toEqual([
      ['Sample study, seed 0', ['RL with anchor to base', 'SFT step 200', 'Base']],
      ['Imported', ['imported']],
      ['run', ['run-9', 'run-20']],
    ]);
  });
  it('are found by words of name, group, step and folder, in any order', () => {
    expect(names('seed sample step 200')).toEqual([['Sample study, seed 0', ['SFT step 200']]]);
    expect(names('models/run 20')).toEqual([['run', ['run-20']]]);
    expect(names('nothing')).toEqual([]);
  });
  it('begin with the name that was typed', () => {
    expect(names('base')).toEqual([['Sample study, seed 0', ['Base', 'RL with anchor to base']]]);
    expect(names('run')[0]![0]).toBe('run');
  });
  it('are cut at a limit, which is told', () => {
    expect(names('', 2)).toEqual([['Sample study, seed 0', ['RL with anchor to base', 'SFT step 200']]]);
    expect(checkpointChoices(catalogue, studies, '', 2).left).toBe(4);
    expect(checkpointChoices(catalogue, studies, '', 80).left).toBe(0);
  });
});
