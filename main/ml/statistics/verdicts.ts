/**
 * The verdicts of one seed, each with what was observed (`point`) and what the episodes separate (`tested`).
 *
 * The peak is picked on the selection half of the OOD episodes; every number here comes from the reporting half, on which
 * all checkpoints answered the same episodes (paired tests). Intervals cover episodes, not training seeds.
 *
 * Two verdicts are about a loss, which is stored as a mean without its episodes, so that they are tested over checkpoints
 * (Mann-Kendall, exact, one-sided 5 %): the in-distribution loss fell while OOD accuracy was forgotten (from the peak to
 * the last checkpoint), and overfitting (it ends more than 5 % above its minimum, and rises from there).
 */
import type { Evaluation } from '../../contract/evaluation.ts';
import { rlArms } from '../../contract/settings.ts';
import type { Verdicts } from '../../contract/studyResult.ts';
import {
  forgettingOnsetPoint,
  forgettingOnsetTested,
  peakSet,
  recoveryWindow,
  type RecoveryStart,
} from './detectors.ts';
import { accuracyDifference, SIGNIFICANCE } from './difference.ts';
import { share, wilson } from './proportions.ts';
import { recoveryShare } from './recoveryShare.ts';
import { reversionVerdicts } from './reversionVerdicts.ts';
import {
  accuracyOf,
  bestInterpolation,
  healedEvaluation,
  healedFromEnd,
  selectPeakStep,
  sftCurve,
  sftEvaluation,
  type SeedFacts,
  type Split,
} from './studyFacts.ts';
import { mannKendall } from './trend.ts';
import {
  forgettingWords,
  lossFellWords,
  onsetWords,
  overfittingWords,
  peakWords,
  recoveryWords,
  windowWords,
} from './verdictWords.ts';

/** An end loss above the minimum by more than this is worth asking about; the jitter of the miniature is about 3 %. */
const OVERFITTING_RISE = 0.05;

/** Null until the peak and SFT_End have been evaluated. */
export function studyVerdicts(facts: SeedFacts): Verdicts | null {
  const peakStep = facts.peakStep ?? selectPeakStep(facts);
  const peakEvaluation = sftEvaluation(facts, peakStep);
  const endEvaluation = sftEvaluation(facts, facts.endStep);
  if (peakStep === null || !peakEvaluation || !endEvaluation) return null;
  const named = { peakStep, peakEvaluation, endEvaluation };
  return {
    peak: peakVerdict(facts, named),
    forgettingOnset: onsetVerdict(facts, named),
    forgetting: forgettingVerdict(facts, named),
    ...lossVerdicts(facts, peakStep),
    recovery: recoveryVerdicts(facts, named),
    recoveryWindow: windowVerdict(facts),
    reversions: reversionVerdicts(facts),
  };
}

interface Named {
  peakStep: number;
  peakEvaluation: Evaluation;
  endEvaluation: Evaluation;
}

const report = (evaluation: Evaluation, split: Split = 'ood') => accuracyOf(evaluation, split, 'report');

function peakVerdict(facts: SeedFacts, { peakStep, peakEvaluation }: Named): Verdicts['peak'] {
  const curve = sftCurve(facts, 'ood', 'report');
  const reported = report(peakEvaluation);
  const point = {
    step: peakStep,
    selectAccuracy: share(accuracyOf(peakEvaluation, 'ood', 'select')),
    reportAccuracy: share(reported),
    reportInterval: { ...wilson(reported), covers: `95 % Wilson, ${reported.n} episodes` },
  };
  const tested = { peakSet: peakSet(curve, { step: peakStep, ...reported }) };
  return { point, tested, words: peakWords(point, tested) };
}

function onsetVerdict(facts: SeedFacts, { peakStep, peakEvaluation }: Named): Verdicts['forgettingOnset'] {
  const curve = sftCurve(facts, 'ood', 'report');
  const peak = { step: peakStep, ...report(peakEvaluation) };
  const point = forgettingOnsetPoint(curve, peak);
  const tested = forgettingOnsetTested(curve, peak);
  return { point, tested, words: onsetWords(point, tested) };
}

function forgettingVerdict(facts: SeedFacts, { peakEvaluation, endEvaluation }: Named): Verdicts['forgetting'] {
  const peak = report(peakEvaluation);
  const lastStep = sftCurve(facts, 'ood', 'report').at(-1)!.step;
  const last = report(sftEvaluation(facts, lastStep)!);
  const tested = {
    toEnd: accuracyDifference(peak, report(endEvaluation), 'greater'),
    toLast: accuracyDifference(peak, last, 'greater'),
  };
  const point = { toEnd: tested.toEnd.difference, toLast: tested.toLast.difference };
  return { point, tested, words: forgettingWords(tested, facts.endStep, lastStep) };
}

function lossVerdicts(facts: SeedFacts, peakStep: number): Pick<Verdicts, 'inDistLossFell' | 'overfitting'> {
  const curve = facts.sft
    .toSorted((a, b) => a.step - b.step)
    .map(({ step, evaluation }) => ({ step, loss: evaluation.inDist.loss }));
  const last = curve.at(-1)!;

  const sincePeak = curve.filter(({ step }) => step >= peakStep);
  const fell = last.loss < sincePeak[0]!.loss;
  const { pFalling } = mannKendall(sincePeak.map(({ loss }) => loss));
  const fellTested = fell && pFalling <= SIGNIFICANCE;

  const lowest = curve.reduce((best, point) => (point.loss < best.loss ? point : best));
  const rose = last.loss > (1 + OVERFITTING_RISE) * lowest.loss;
  const { pRising } = mannKendall(curve.filter(({ step }) => step >= lowest.step).map(({ loss }) => loss));
  const roseTested = rose && pRising <= SIGNIFICANCE;
  return {
    inDistLossFell: {
      point: fell,
      tested: fellTested,
      words: lossFellWords({
        from: sincePeak[0]!,
        to: last,
        checkpoints: sincePeak.length,
        p: pFalling,
        tested: fellTested,
      }),
    },
    overfitting: {
      point: rose,
      tested: roseTested,
      words: overfittingWords({ lowest, last, p: pRising, point: rose, tested: roseTested }),
    },
  };
}

function recoveryVerdicts(facts: SeedFacts, { peakEvaluation, endEvaluation }: Named): Verdicts['recovery'] {
  const interpolation = bestInterpolation(facts);
  const candidates = [
    ...rlArms.map((arm) => ({ arm, healed: healedFromEnd(facts, arm), detail: '' })),
    {
      arm: 'interpolation' as const,
      healed: interpolation?.evaluation ?? null,
      detail: interpolation ? `alpha ${interpolation.alpha} towards the ${interpolation.reference}` : '',
    },
  ];
  const [peak, end] = [report(peakEvaluation), report(endEvaluation)];
  return candidates.flatMap(({ arm, healed, detail }) => {
    if (!healed) return [];
    const after = report(healed);
    const verdict = {
      arm,
      ood: accuracyDifference(after, end, 'greater'),
      inDist: accuracyDifference(report(healed, 'inDist'), report(endEvaluation, 'inDist'), 'twoSided'),
      againstPeak: accuracyDifference(after, peak, 'twoSided'),
      recoveryShare: recoveryShare({ healed: after, end, peak }, [facts.seed]),
    };
    return [{ ...verdict, words: recoveryWords(verdict, { after, end, peak, detail }) }];
  });
}

/** The window of the arm that was run from most starts. */
function windowVerdict(facts: SeedFacts): Verdicts['recoveryWindow'] {
  const byArm = rlArms.map((arm) => ({ arm, runs: recoveryStarts(facts, arm) }));
  const { arm, runs } = byArm.reduce((most, candidate) =>
    candidate.runs.length > most.runs.length ? candidate : most,
  );
  const { point, tested } = recoveryWindow(runs);
  return {
    point,
    tested,
    words: windowWords(
      point,
      tested,
      arm,
      runs.map(({ step }) => step),
    ),
  };
}

function recoveryStarts(facts: SeedFacts, arm: (typeof rlArms)[number]): RecoveryStart[] {
  const runs = facts.rl.filter((run) => run.arm === arm).toSorted((a, b) => a.startStep - b.startStep);
  return runs.flatMap((run) => {
    const healed = healedEvaluation(run);
    const start = sftEvaluation(facts, run.startStep);
    return healed && start ? [{ step: run.startStep, start: report(start), healed: report(healed) }] : [];
  });
}
