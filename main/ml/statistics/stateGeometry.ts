/**
 * What the hidden states of several checkpoints on the same prompts say: for each split one basis of two principal
 * components on the pooled states of all checkpoints with the pooled mean (never one a checkpoint), and distances between
 * centroids in the full space, bootstrapped over prompts. All distances share their draws of prompts.
 */
import type { HiddenStatesResult, HiddenStatesSettings, StateCheckpoint } from '../../contract/hiddenStates.ts';
import type { StudyCheckpoint } from '../../contract/studyResult.ts';
import type { PromptStates } from '../evaluation/promptStates.ts';
import type { Matrix } from '../spectral/linearAlgebra.ts';
import { principalComponents, project } from '../spectral/principalComponents.ts';
import type { Split } from '../tasks/task.ts';
import {
  differenceOfDistances,
  pairedDistance,
  promptDraws,
  unpairedDistance,
  type DrawnDistance,
} from './centroidDistance.ts';

const splits: readonly Split[] = ['inDist', 'ood'];
const components = 2;
/** Of a drawn coordinate; distances keep all of theirs. */
const digits = 6;

type Points = [number, number][];
type Pair = Record<Split, DrawnDistance>;

/**
 * @param states of each checkpoint, in the order of `checkpoints`
 * @param pause called between two pieces of work: lets a signal through, and throws when it has come
 */
export async function stateGeometry(
  states: readonly PromptStates[],
  checkpoints: readonly Pick<StateCheckpoint, 'role' | 'contentHash'>[],
  { seed }: Pick<HiddenStatesSettings, 'seed'>,
  pause: () => Promise<void>,
): Promise<HiddenStatesResult> {
  const { rows: prompts, columns: hiddenSize } = states[0]!.inDist;
  const bases = { inDist: await splitBasis(states, 'inDist'), ood: await splitBasis(states, 'ood') };
  const draws = { inDist: promptDraws(prompts, ['inDist', seed]), ood: promptDraws(prompts, ['ood', seed]) };
  const betweenSplits = states.map(({ inDist, ood }) => unpairedDistance(inDist, ood, draws.inDist, draws.ood));
  const pairs = new Map<string, Pair>();
  for (const [b, second] of states.entries())
    for (const [a, first] of states.slice(0, b).entries()) {
      const of = (split: Split): DrawnDistance => pairedDistance(first[split], second[split], draws[split]);
      pairs.set(`${a} ${b}`, { inDist: of('inDist'), ood: of('ood') });
      await pause();
    }
  return {
    prompts,
    hiddenSize,
    explained: { inDist: bases.inDist.explained, ood: bases.ood.explained },
    checkpoints: checkpoints.map(({ contentHash }, i) => ({
      contentHash: contentHash ?? '',
      points: { inDist: bases.inDist.points[i]!, ood: bases.ood.points[i]! },
      betweenSplits: betweenSplits[i]!.distance,
    })),
    pairs: [...pairs].map(([key, { inDist, ood }]) => {
      const [a, b] = key.split(' ').map(Number) as [number, number];
      return { a, b, inDist: inDist.distance, ood: ood.distance };
    }),
    farther: fartherFromPeak(checkpoints, pairs),
  };
}

async function splitBasis(states: readonly PromptStates[], split: Split) {
  const pooled = pool(states.map((one) => one[split]));
  const basis = await principalComponents(pooled, components);
  const { data } = project(pooled, basis);
  const rounded = (value: number): number => Number(value.toPrecision(digits));
  const { rows } = states[0]![split];
  const points = states.map((_, i): Points => {
    const at = (row: number): [number, number] => [rounded(data[2 * row]!), rounded(data[2 * row + 1]!)];
    return Array.from({ length: rows }, (_unused, row) => at(i * rows + row));
  });
  return { points, explained: basis.explained as [number, number] };
}

function pool(parts: readonly Matrix<Float32Array>[]): Matrix {
  const [{ rows, columns }] = parts as [Matrix<Float32Array>];
  const data = new Float64Array(parts.length * rows * columns);
  parts.forEach((part, i) => data.set(part.data, i * rows * columns));
  return { rows: parts.length * rows, columns, data };
}

/** The paper's observation: RL_End lies farther from the peak than SFT_End, so that RL does not simply undo SFT. */
function fartherFromPeak(
  checkpoints: readonly Pick<StateCheckpoint, 'role'>[],
  pairs: ReadonlyMap<string, Pair>,
): HiddenStatesResult['farther'] {
  const placeOf = (role: StudyCheckpoint): number => checkpoints.findIndex((one) => one.role === role);
  const [from, near, far] = [placeOf('peak'), placeOf('end'), placeOf('rlEnd')] as [number, number, number];
  if (from < 0 || near < 0 || far < 0) return null;
  const pair = (a: number, b: number): Pair => pairs.get(`${Math.min(a, b)} ${Math.max(a, b)}`)!;
  const [toFar, toNear] = [pair(from, far), pair(from, near)];
  const [inDist, ood] = splits.map((split) => differenceOfDistances(toFar[split], toNear[split]));
  return { from, near, far, inDist: inDist!, ood: ood! };
}
