/**
 * Differences that the episodes of a seed do not separate, and how many episodes would: with power 80 % at 5 %, if the true
 * difference and disagreement are those observed. Of the reporting half, which the verdicts use.
 */
import { pairedEpisodesNeeded } from '../../../main/contract/episodesNeeded.ts';
import { rlArmLabels, type RlArm } from '../../../main/contract/settings.ts';
import type { Evaluation } from '../../../main/contract/evaluation.ts';
import type { Difference, SeedResult, Verdicts } from '../../../main/contract/studyResult.ts';
import { lastEvaluation, namedEvaluation, sftAt, splitLabels, type Split } from './charts/seedView.ts';

export interface Undecided {
  label: string;
  difference: Difference;
  /** Reporting episodes; Infinity where nothing was observed. */
  needed: number;
  /** Reporting episodes that there are. */
  episodes: number;
}

interface Contrast {
  label: string;
  split: Split;
  difference: Difference;
  sides: 1 | 2;
  a: Evaluation | null;
  b: Evaluation | null;
}

const edits = { singularValues: 'singular values', singularVectors: 'singular vectors', both: 'whole matrices' };

function contrasts(seed: SeedResult, verdicts: Verdicts): Contrast[] {
  const [peak, end] = [sftAt(seed, verdicts.peak.point.step), namedEvaluation(seed, 'end')];
  const { toEnd, toLast } = verdicts.forgetting.tested;
  const ood = { split: 'ood' as const };
  const healed = (arm: RlArm): Evaluation | null =>
    lastEvaluation(seed.rl.find((run) => run.arm === arm && run.startStep === seed.endStep));
  return [
    { ...ood, label: 'SFT peak against SFT_End', difference: toEnd, sides: 1, a: peak, b: end },
    {
      ...ood,
      label: 'SFT peak against last SFT',
      difference: toLast,
      sides: 1,
      a: peak,
      b: namedEvaluation(seed, 'last'),
    },
    ...verdicts.recovery.flatMap(({ arm, ...verdict }): Contrast[] => {
      if (arm === 'interpolation') return [];
      const [a, name] = [healed(arm), `RL (${rlArmLabels[arm]})`];
      return [
        { ...ood, label: `${name} against SFT_End`, difference: verdict.ood, sides: 1, a, b: end },
        { split: 'inDist', label: `${name} against SFT_End`, difference: verdict.inDist, sides: 2, a, b: end },
        { ...ood, label: `${name} against SFT peak`, difference: verdict.againstPeak, sides: 2, a, b: peak },
      ];
    }),
    ...verdicts.reversions.flatMap(({ stage, edit, ...verdict }): Contrast[] => {
      const target = stage === 'sft' ? 'end' : 'rlEnd';
      const isEdit = (one: SeedResult['ablations'][number]): boolean =>
        one.stage === stage && one.edit === edit && one.control === undefined;
      const a = seed.ablations.find(isEdit)?.evaluation ?? null;
      const label = `${stage === 'sft' ? 'SFT_End' : 'RL_End'} with reverted ${edits[edit]}`;
      const b = namedEvaluation(seed, target);
      return [
        { ...ood, label, difference: verdict.ood, sides: 2, a, b },
        { split: 'inDist', label, difference: verdict.inDist, sides: 2, a, b },
      ];
    }),
  ];
}

/** Null where the episodes of both are not known one by one. */
function episodesFor({ split, sides, a, b }: Contrast): Pick<Undecided, 'needed' | 'episodes'> | null {
  const [ofA, ofB] = [a, b].map((evaluation) => {
    const outcomes = evaluation?.[split].outcomes ?? '';
    return outcomes.slice(Math.floor(outcomes.length / 2));
  }) as [string, string];
  const n = ofA.length;
  if (n === 0 || ofB.length !== n) return null;
  let [onlyA, onlyB] = [0, 0];
  for (let i = 0; i < n; i++) {
    if (ofA[i]! > ofB[i]!) onlyA++;
    if (ofA[i]! < ofB[i]!) onlyB++;
  }
  // A claim with a direction is never told by what points the other way: then it takes what tells that the two differ.
  const needed = pairedEpisodesNeeded((onlyA - onlyB) / n, (onlyA + onlyB) / n, { sides: onlyA < onlyB ? 2 : sides });
  return { needed, episodes: n };
}

/** The fewest needed first. */
export function undecided(seed: SeedResult): Undecided[] {
  if (seed.verdicts === null) return [];
  return contrasts(seed, seed.verdicts)
    .filter(({ difference }) => !difference.separated)
    .flatMap((contrast) => {
      const { label, split, difference } = contrast;
      const count = episodesFor(contrast);
      return count === null ? [] : [{ label: `${label}, ${splitLabels[split]}`, difference, ...count }];
    })
    .sort((a, b) => a.needed - b.needed);
}
