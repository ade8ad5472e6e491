/**
 * The figures of a study, in the order of the story: the one list behind the Study page, the gallery of the Figures page,
 * "export all" and the report. A figure that is added here appears in all of them.
 */
import { rlArmLabels, type StudyPreset, type StudySettings } from '../../../main/contract/settings.ts';
import type { StudyResult } from '../../../main/contract/studyResult.ts';
import type { NamedFigure } from '../../figures/figure.ts';
import { accuracyCurve } from './charts/accuracyCurve.ts';
import { answerErrors } from './charts/answerErrors.ts';
import { endpointBars } from './charts/endpointBars.ts';
import { interpolation } from './charts/interpolation.ts';
import { layersOverTime } from './charts/layersOverTime.ts';
import { lossCurve } from './charts/lossCurve.ts';
import { penaltyCurves } from './charts/penaltyCurves.ts';
import { reversions } from './charts/reversions.ts';
import { rlIterations, startsOf, type Scalars } from './charts/rlIterations.ts';
import { rlStarts } from './charts/rlStarts.ts';
import { accuracyName, mainArm, seedView, type SeedView } from './charts/seedView.ts';
import { singleStage } from './charts/singleStage.ts';
import { startOffer } from './charts/startOffer.ts';
import { training } from './charts/training.ts';

export interface StudyFigureData {
  preset: StudyPreset;
  /** Answers judged at each position, of a task in text; null: a task in tokens. */
  attempts: number | null;
  result: StudyResult | null;
  scalars: Scalars;
  /** The seed shown, or `allSeeds`. */
  seed: number;
  /** SFT step whose RL is drawn by iteration; undefined: what the study is about. */
  start?: RlStart | undefined;
}

export type RlStart = number | 'end';

/** Answers judged at each position of a task in text; null: a task in tokens. */
export const attemptsOf = ({ base, task }: StudySettings): number | null => (base === null ? null : task.text.attempts);

export const startLabel = (start: RlStart): string =>
  start === 'end' ? 'SFT_End' : start === 0 ? 'the base' : `SFT step ${start}`;

/** RL without SFT is about the base: it starts from there and, to be compared, from SFT_End. */
export function usualStart(view: SeedView, preset: StudyPreset): RlStart {
  const ends = new Set(view.seeds.map(({ endStep }) => endStep));
  const [first, ...others] = startsOf(view);
  return preset === 'paper' && first === 0 && others.every((step) => ends.has(step)) ? 0 : 'end';
}

/** How right is counted. */
function measureOf(attempts: number | null): string {
  if (attempts === null) return 'answered right at the first attempt, greedily (acc@1)';
  return attempts === 1
    ? 'answered right at the first attempt (acc@1)'
    : `solved within ${attempts} attempts, each told what the last one lacked (${accuracyName(attempts)}; not comparable with acc@1)`;
}

/** Whether a run has logged one of these; runs of earlier versions, and other protocols, have not. */
const logged = (scalars: Scalars, stage: RegExp, metric: string): boolean =>
  [...scalars].some(([id, steps]) => stage.test(id) && [...steps.values()].some((values) => metric in values));

/** Figures of runs and evaluations, those that this protocol has. */
export function studyFigures({ preset, attempts, result, scalars, seed, start }: StudyFigureData): NamedFigure[] {
  const view = seedView(result, seed);
  const arm = mainArm(view);
  const from = start ?? usualStart(view, preset);
  const inText = attempts !== null;
  const noReversions = preset !== 'miniature';
  const drawn = view.several
    ? 'Thin: each seed. Thick: their mean.'
    : 'Shaded or with whiskers: 95 % Wilson intervals over episodes, not over training seeds.';
  /** Layers of different seeds have nothing in common: with all seeds, the first one is shown. */
  const layerSeed = view.seeds[0]?.seed ?? 0;
  const all: (NamedFigure & { absent?: boolean })[] = [
    {
      name: 'accuracy',
      title: 'Accuracy of SFT',
      paper: '3, 10',
      note: `Share of held-out prompts ${measureOf(attempts)}, under the trained rule (ID) and the changed rule (OOD). ${drawn}`,
      empty: 'Appears with the first SFT checkpoint that is evaluated.',
      build: (frame) => accuracyCurve(view, frame),
    },
    {
      name: 'loss',
      title: 'Loss of SFT, by step of the answer',
      paper: '2, 8',
      note: 'Token cross-entropy on the reference answers. Held-out prompts, except train: the first SFT examples.',
      empty: 'Appears with the first SFT checkpoint that is evaluated.',
      build: (frame) => lossCurve(view, frame),
    },
    {
      name: 'answerErrors',
      title: 'Errors of SFT, by step of the answer',
      paper: '2',
      note: `Share of all held-out episodes in which the format, the numbers (the rule) or the whole answer is wrong. ${view.several ? drawn : ''}`,
      empty: 'Appears with the first SFT checkpoint that is evaluated.',
      build: (frame) => answerErrors(view, frame),
    },
    {
      name: 'training',
      title: inText ? 'Loss of training' : 'Loss of training: pretraining and SFT',
      note: `Token cross-entropy of the batch that each step trains on. Hover for the learning rate. ${view.several ? drawn : ''}`,
      empty: 'Appears with the first steps of training.',
      build: (frame) => training(scalars, seed, frame),
    },
    {
      name: 'layers',
      title: 'Layers over the steps of SFT',
      note: `One curve a layer, from pale (shallow) to strong (deep). Norms of every tenth step; stable rank and rotation (mean principal angle of the leading half of the singular vectors to those of the start) at every checkpoint. Seed ${layerSeed}.`,
      empty: 'Appears with the first SFT steps.',
      absent: !['gradNormLayer0', 'stableRankLayer0'].some((metric) => logged(scalars, /\.sft$/, metric)),
      build: (frame) => layersOverTime(scalars, layerSeed, frame),
    },
    {
      name: 'rlStarts',
      title: 'RL by the checkpoint it started from',
      paper: '3, 10',
      note: `Before and after RL on ID prompts only. ${rlArmLabels[arm]} runs from every start; other arms run from SFT_End. ${drawn}`,
      empty: 'Appears when the first RL run has been evaluated.',
      absent: preset === 'comparison',
      build: (frame) => rlStarts(view, frame),
    },
    {
      name: 'rlIterations',
      title: `RL from ${startLabel(from)}, by iteration`,
      note: 'One colour an arm, the same in every figure. Accuracy where it was evaluated; the other panels at every iteration. Reward that rises without the success rate is not earned by right answers.',
      empty: 'Appears with the first RL iteration from this start.',
      build: (frame) => rlIterations(view, scalars, frame, from),
    },
    {
      name: 'singleStage',
      title: 'RL from the base, without SFT',
      paper: '11, 12',
      note: `${rlArmLabels[arm]} from step 0. Reward that rises while the success rate does not is earned by something else than right answers. ${view.several ? drawn : ''}`,
      empty: 'Appears with the first PPO iteration from the base.',
      absent: !logged(scalars, new RegExp(`\\.rl-${arm}-0$`), 'reward'),
      build: (frame) => singleStage(view, scalars, frame),
    },
    {
      name: 'penalty',
      title: 'SFT with and without the penalty on rotation',
      note: `Both runs start from one base and see the same batches; the penalty holds the leading singular subspaces of q, k, v, gate, up and down where they were. ${drawn}`,
      empty: 'Appears when both runs have been evaluated.',
      absent: preset !== 'comparison',
      build: (frame) => penaltyCurves(view, frame),
    },
    {
      name: 'endpoints',
      title: preset === 'comparison' ? 'The remedies beside SFT_End' : 'At the peak, at SFT_End, after RL',
      paper: '1, 9',
      note: `The peak is a selected maximum and therefore optimistic. ${view.several ? 'Bars: mean over seeds. Dots: each seed.' : 'Whiskers: 95 % Wilson intervals over episodes.'}`,
      empty: 'Appears when SFT has been evaluated.',
      build: (frame) => endpointBars(view, frame),
    },
    {
      name: 'startOffer',
      title: 'What the start offers, and what RL gained',
      note: 'The paper speculates that a balanced share of reward and enough entropy decide whether RL recovers. Points, one a run; nothing is fitted.',
      empty: 'Appears when the first RL run has ended.',
      absent: preset === 'comparison',
      build: (frame) => startOffer(view, frame),
    },
    {
      name: 'reversionsSft',
      title: 'Reversion of the SFT stage: SFT_End towards the peak',
      paper: '4, 5',
      note: 'q, k, v, gate, up and down of every layer. A dose is one edit scaled to the size of the other, so that values and vectors are compared at equal change. Scrambled controls keep the size and the singular values of the edit; with several seeds their ranges are averaged.',
      empty: 'Appears when the ablations of this stage are evaluated.',
      absent: noReversions,
      build: (frame) => reversions(view, 'sft', frame),
    },
    {
      name: 'reversionsRl',
      title: 'Reversion of the RL stage: RL_End towards SFT_End',
      paper: '6, 7',
      note: 'RL_End is that of the main arm from SFT_End. The same edits, doses and controls as above.',
      empty: 'Appears when the ablations of this stage are evaluated.',
      absent: noReversions,
      build: (frame) => reversions(view, 'rl', frame),
    },
    {
      name: 'interpolation',
      title: 'Interpolation of the weights',
      note: `A recovery without RL: all tensors on the straight line between two checkpoints. ${drawn}`,
      empty: 'Appears when the interpolated models are evaluated.',
      absent: noReversions,
      build: (frame) => interpolation(view, frame),
    },
  ];
  return all.filter(({ absent = false }) => !absent).map(({ absent: _, ...figure }) => figure);
}
