/** The claims of the paper that this study can test, and which of them its tests support. */
import type { SeedResult, Verdicts } from '../../contract/studyResult.ts';
import { SIGNIFICANCE } from './difference.ts';
import type { Evidence } from './evidence.ts';

interface Claim {
  claim: string;
  /** Null: it was not run here. */
  supported: boolean | 'notContradicted' | null;
  figure: string;
}

type Judged = SeedResult & { verdicts: Verdicts };

export function reproductionWords(seeds: readonly Judged[], evidence: Evidence): string[] {
  const claims = [...positiveClaims(seeds, evidence), ...negativeClaims(seeds, evidence)];
  const sentence = (lead: string, chosen: readonly Claim[]): string[] =>
    chosen.length === 0 ? [] : [`${lead}: ${chosen.map(({ claim, figure }) => `${claim} (${figure})`).join('; ')}.`];
  return [
    ...sentence(
      `${evidence.where} the tests support these claims`,
      claims.filter(({ supported }) => supported === true),
    ),
    ...sentence(
      `${evidence.where} these claims are not reproduced`,
      claims.filter(({ supported }) => supported === false),
    ),
    ...sentence(
      'Not contradicted by a test, which proves nothing',
      claims.filter(({ supported }) => supported === 'notContradicted'),
    ),
  ];
}

function positiveClaims(seeds: readonly Judged[], evidence: Evidence): Claim[] {
  const above = (claim: string, key: string): Claim => {
    const test = evidence.test(key);
    return { claim, supported: test ? test.separatedAbove : null, figure: evidence.text(key) };
  };
  return [
    above('SFT forgets out of distribution', 'fall.end'),
    lossClaim(seeds),
    above('plain PPO recovers what SFT forgot', 'gain.ppoPlain'),
    ...reversionClaims(seeds, evidence),
  ];
}

/** "Nothing happens" is contradicted by a separated effect, and proved by none. */
function negativeClaims(seeds: readonly Judged[], evidence: Evidence): Claim[] {
  const nothing = (claim: string, key: string, contradictedBy: 'above' | 'either'): Claim => {
    const test = evidence.test(key);
    const contradicted = test && (test.separatedAbove || (contradictedBy === 'either' && test.separatedBelow));
    const supported = test ? (contradicted ? false : 'notContradicted') : null;
    return { claim, supported, figure: evidence.text(key) };
  };
  return [
    nothing('reverting singular values of the SFT stage changes nothing', 'revert.sft.singularValues', 'either'),
    nothing('reverting singular values of the RL stage changes nothing', 'revert.rl.singularValues', 'either'),
    nothing('RL does not end above the peak', `peak.${seeds[0]!.mainArm}`, 'above'),
    nothing('RL from the base alone fails out of distribution', 'singleStage.ood', 'above'),
    nothing('RL from the base alone fails in distribution', 'singleStage.inDist', 'above'),
  ];
}

function lossClaim(seeds: readonly Judged[]): Claim {
  const holding = seeds.filter(({ verdicts }) => verdicts.inDistLossFell.tested && !verdicts.overfitting.tested).length;
  return {
    claim: 'the in-distribution test loss falls meanwhile, without overfitting',
    supported: holding === seeds.length,
    figure: `${holding} of ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}`,
  };
}

/** Vectors matter: their reversion changes OOD accuracy, and by more than norm-matched controls, in every seed. */
function reversionClaims(seeds: readonly Judged[], evidence: Evidence): Claim[] {
  const stages = [
    ['sft', 'SFT'],
    ['rl', 'RL'],
  ] as const;
  return stages.map(([stage, name]) => {
    const key = `revert.${stage}.singularVectors`;
    const test = evidence.test(key);
    const rows = seeds.flatMap(({ verdicts }) =>
      verdicts.reversions.filter((row) => row.stage === stage && row.edit === 'singularVectors'),
    );
    const beyond = rows.filter(({ controlPValue }) => (controlPValue ?? 1) <= SIGNIFICANCE).length;
    const controlled = seeds.every((seed) => hasEnoughControls(seed, stage));
    return {
      claim: `singular vectors carry the change of the ${name} stage, beyond norm-matched controls`,
      // without the controls it is not the paper's claim that was tested
      supported: test && controlled ? (test.separatedAbove || test.separatedBelow) && beyond === seeds.length : null,
      figure: `${evidence.text(key)}, beyond controls in ${beyond} of ${seeds.length}`,
    };
  });
}

/** Replicates enough for p <= 0.05. */
function hasEnoughControls({ ablations }: Judged, stage: 'sft' | 'rl'): boolean {
  const replicates = ablations.filter(
    (point) => point.stage === stage && point.edit === 'singularVectors' && point.control === 'scrambled',
  ).length;
  return 1 / (1 + replicates) <= SIGNIFICANCE;
}
