/**
 * The study in words: neutral sentences made from tests alone. A single seed is described by its own verdicts, whose
 * intervals cover episodes. With several seeds the bootstrap over seeds x episodes is the headline, and each seed's tests
 * are only counted.
 *
 * Then the recovery is attributed to an arm (plain PPO, the anchor, the anchor without reward, interpolation), and what was
 * claimed by the paper and does not reproduce here is said.
 */
import type { SeedResult, StudyResult, Verdicts } from '../../contract/studyResult.ts';
import { attributionWords } from './attributionWords.ts';
import { SIGNIFICANCE } from './difference.ts';
import { evidenceOf, type Evidence } from './evidence.ts';
import { list } from './phrases.ts';
import { remedyWords } from './remedyWords.ts';
import { reproductionWords } from './reproductionWords.ts';
import { editLabels } from './verdictWords.ts';

type Judged = SeedResult & { verdicts: Verdicts };

/** Findings before the attribution: the peak and the forgetting. */
const HEADLINES = 2;

/** One sentence or a few an item. @param result seeds without verdicts are left out, and said to be */
export function studyWords(result: Pick<StudyResult, 'seeds'>): string[] {
  const judged = result.seeds.filter((seed): seed is Judged => seed.verdicts !== null);
  const first = judged[0];
  if (!first) return ['No seed has been trained and evaluated up to SFT_End yet; there is nothing to say.'];
  const evidence = evidenceOf(judged);
  const findings = judged.length === 1 ? singleSeedWords(first) : severalSeedsWords(judged, evidence);
  return [
    ...unfinishedWords(result.seeds.length, judged.length),
    // what was forgotten, then what brings it back, before any detail
    ...findings.slice(0, HEADLINES),
    ...remedyWords(evidence),
    ...attributionWords(evidence),
    ...findings.slice(HEADLINES),
    ...reproductionWords(judged, evidence),
    coverWords(judged, evidence),
  ];
}

function unfinishedWords(all: number, judged: number): string[] {
  return judged === all ? [] : [`${judged} of ${all} seeds have been evaluated so far.`];
}

function singleSeedWords({ verdicts }: Judged): string[] {
  const { peak, forgettingOnset, forgetting, inDistLossFell, overfitting, recovery, recoveryWindow, reversions } =
    verdicts;
  return [
    peak.words,
    forgetting.words,
    forgettingOnset.words,
    inDistLossFell.words,
    overfitting.words,
    ...recovery.map(({ words }) => words),
    recoveryWindow.words,
    ...reversions.map(({ words }) => words),
  ];
}

function severalSeedsWords(seeds: readonly Judged[], evidence: Evidence): string[] {
  const count = (holds: (verdicts: Verdicts) => boolean): string =>
    `${seeds.filter(({ verdicts }) => holds(verdicts)).length} of ${seeds.length} seeds`;
  const peaks = list(seeds.map(({ verdicts }) => verdicts.peak.point.step));
  const sentences = [
    `Over ${seeds.length} seeds OOD accuracy peaks at steps ${peaks}.`,
    ...evidence.sentence('fall.end', 'From the peak to SFT_End OOD accuracy falls', {
      perSeed: `separated in ${count(({ forgetting }) => forgetting.tested.toEnd.separated)}`,
    }),
    ...evidence.sentence('fall.last', 'From the peak to the last checkpoint it falls', {
      perSeed: `separated in ${count(({ forgetting }) => forgetting.tested.toLast.separated)}`,
    }),
    `The in-distribution test loss falls over the same steps in ${count(({ inDistLossFell }) => inDistLossFell.tested)}; it rises again (overfitting) in ${count(({ overfitting }) => overfitting.tested)}.`,
  ];
  const arms = [...new Set(seeds.flatMap(({ verdicts }) => verdicts.recovery.map(({ arm }) => arm)))];
  for (const arm of arms) {
    const separated = count(({ recovery }) => recovery.some((row) => row.arm === arm && row.ood.separated));
    sentences.push(
      ...evidence.sentence(`gain.${arm}`, `From SFT_End, ${evidence.label(arm)} changes OOD accuracy`, {
        perSeed: `a gain is separated in ${separated}`,
      }),
    );
    sentences.push(...evidence.sentence(`inDist.${arm}`, 'It changes in-distribution accuracy'));
    sentences.push(...evidence.sentence(`peak.${arm}`, 'Its OOD accuracy against the peak is different'));
  }
  return [...sentences, ...reversionsOverSeeds(seeds, evidence)];
}

const stagePlaces = [
  ['sft', 'of SFT_End to those of the peak'],
  ['rl', 'of RL_End to those of SFT_End'],
] as const;

function reversionsOverSeeds(seeds: readonly Judged[], evidence: Evidence): string[] {
  const rows = seeds.flatMap(({ verdicts }) => verdicts.reversions);
  return stagePlaces.flatMap(([stage, where]) =>
    (['singularValues', 'singularVectors', 'both'] as const).flatMap((edit) => {
      const controlled = rows.filter((row) => row.stage === stage && row.edit === edit && row.controlPValue !== null);
      const beyond = controlled.filter(({ controlPValue }) => controlPValue! <= SIGNIFICANCE).length;
      const perSeed = `more than the norm-matched controls in ${beyond} of ${controlled.length} seeds`;
      const what = `the ${editLabels[edit]} ${where}`;
      const other = edit === 'singularValues' ? 'vector' : 'value';
      return [
        ...evidence.sentence(
          `revert.${stage}.${edit}`,
          `Reverting ${what} changes OOD accuracy`,
          controlled.length === 0 ? {} : { perSeed },
        ),
        ...evidence.sentence(
          `dose.${stage}.${edit}`,
          `Scaled to the norm of the ${other} reversion (dose) it changes it`,
        ),
      ];
    }),
  );
}

/** What every interval above covers, and how it was made. */
function coverWords(seeds: readonly Judged[], evidence: Evidence): string {
  if (seeds.length > 1)
    return (
      `Intervals come from bootstraps over ${seeds.length} training seeds and the ${evidence.episodes} reporting episodes ` +
      'that they share; with so few seeds they are rough.'
    );
  const methods = evidence.paired
    ? 'paired bootstraps (with exact McNemar tests) over'
    : 'Newcombe intervals of unpaired counts on';
  return (
    `Intervals are ${methods} the ${evidence.episodes} reporting episodes; claims with a direction are tested one-sided at 5 %, ` +
    'changes two-sided. They do not cover training seeds: another seed may differ.'
  );
}
