/** Two studies side by side: their settings by path, and what each of their named checkpoints scores. Pure. */
import type { SplitScore } from '../../../main/contract/evaluation.ts';
import { studyCheckpoints, type StudyCheckpoint, type StudyResult } from '../../../main/contract/studyResult.ts';
import { percent, percentWithInterval } from '../../figures/quantities.ts';
import { mean, namedEvaluation, splitLabels, type Split } from '../study/charts/seedView.ts';

/** { sft: { steps: 5 } } -> { 'sft.steps': 5 } */
export function byPath(tree: object, prefix = ''): Record<string, unknown> {
  return Object.assign(
    {},
    ...Object.entries(tree).map(([name, value]: [string, unknown]) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? byPath(value, `${prefix}${name}.`)
        : { [`${prefix}${name}`]: value },
    ),
  ) as Record<string, unknown>;
}

const checkpointLabels: Record<StudyCheckpoint, string> = {
  base: 'Base',
  peak: 'OOD peak',
  end: 'SFT_End',
  last: 'Last SFT checkpoint',
  rlEnd: 'RL_End (KL anchor)',
};

export interface ScoreRow {
  label: string;
  /** One a study: with its interval of one seed, as the mean of several. */
  texts: string[];
}

function scoreText(result: StudyResult, checkpoint: StudyCheckpoint, split: Split): string {
  const scores = result.seeds.flatMap((seed): SplitScore[] => {
    const evaluation = namedEvaluation(seed, checkpoint);
    return evaluation === null ? [] : [evaluation[split]];
  });
  const [first] = scores;
  if (first === undefined) return '–';
  if (scores.length === 1) return percentWithInterval(first.correct, first.n);
  const shares = scores.map(({ correct, n }) => correct / n);
  const range = `${percent(Math.min(...shares))} to ${percent(Math.max(...shares))}`;
  return `${percent(mean(shares))}, ${scores.length} seeds from ${range}`;
}

export function scoreRows(results: readonly StudyResult[]): ScoreRow[] {
  return studyCheckpoints.flatMap((checkpoint) =>
    (['ood', 'inDist'] as const).map((split) => ({
      label: `${checkpointLabels[checkpoint]}, ${splitLabels[split]} accuracy`,
      texts: results.map((result) => scoreText(result, checkpoint, split)),
    })),
  );
}
