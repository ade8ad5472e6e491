/** Ablations: the list of sweeps, and the one that is open with its points. */
import { defineStore } from 'pinia';
import type { CallAnswer, CallInput } from '../../main/contract/api.ts';
import type { Sweep, SweepPointResult, SweepResult } from '../../main/contract/sweeps.ts';
import { call } from '../engine/engine.ts';
import { resultList } from './resultList.ts';

export type SweepOrderInput = CallInput<'sweeps.start'>;
export type SweepPlan = CallAnswer<'sweeps.plan'>;
export type StudyCheckpointIds = CallAnswer<'sweeps.studyCheckpoints'>;

export const useSweeps = defineStore('sweeps', () => {
  const {
    put,
    remove: removeById,
    ...list
  } = resultList<Sweep, SweepResult>({
    event: 'sweep',
    list: () => call('sweeps.list', {}),
    get: (id) => call('sweeps.get', { id }),
    itemOf: ({ points: _, provenance: __, ...sweep }) => sweep,
    remove: (id) => call('sweeps.remove', { id }),
    restore: (id) => call('sweeps.restore', { id }),
  });

  /** One that need not be open. @throws NOT_FOUND */
  const fetch = (id: string): Promise<SweepResult> => call('sweeps.get', { id });
  const plan = (order: SweepOrderInput): Promise<SweepPlan> => call('sweeps.plan', order);
  const start = async (order: SweepOrderInput): Promise<Sweep> => put(await call('sweeps.start', order));
  /** With the record of every edited matrix. */
  const point = (id: string, key: string): Promise<SweepPointResult> => call('sweeps.point', { id, key });
  const exportPoint = (input: CallInput<'sweeps.exportPoint'>): Promise<CallAnswer<'sweeps.exportPoint'>> =>
    call('sweeps.exportPoint', input);
  const studyCheckpoints = (studyId: string, seed: number): Promise<StudyCheckpointIds> =>
    call('sweeps.studyCheckpoints', { studyId, seed });
  const remove = ({ id, name }: Sweep): Promise<void> => removeById(id, `Removed "${name}".`);

  return { ...list, fetch, plan, start, point, exportPoint, studyCheckpoints, remove };
});
