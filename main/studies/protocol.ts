/**
 * The study: "RL Fine-Tuning Heals OOD Forgetting in SFT", on a small base of its own (GeneralPoints in tokens, 3 cards +
 * target) or on a checkpoint that is given, with a task in text.
 *
 * base -> SFT -> RL from several SFT checkpoints, each with the main arm; from SFT_End also the other arms, so that a
 * recovery is attributed. In miniature the main arm has a KL anchor to the base, and decomposition, reversions beside their
 * controls and interpolation follow; with a given checkpoint these are asked for on the pages Spectrum and Ablations.
 *
 * The preset `comparison` asks what can be done about the forgetting: SFT, SFT stopped at the peak, SFT with a penalty on
 * rotation, and RL from SFT_End, from one base. No other starts, no reversions.
 */
import { join } from 'node:path';
import { stageOutputSchemas } from '../contract/requests.ts';
import { rlArmLabels } from '../contract/settings.ts';
import type { RlArm, StudySettings } from '../contract/settings.ts';
import { stageWeights } from './stageWeights.ts';
import type { PlannedStage, Protocol, ResolvedStage, StageFacts } from './plan.ts';

type RlStart = StudySettings['rl']['starts'][number];
interface RlStage {
  arm: RlArm;
  start: RlStart;
}

/** The arm that RL runs from every start: the published runs have no anchor. */
export const mainArm = ({ preset }: Pick<StudySettings, 'preset'>): RlArm =>
  preset === 'paper' ? 'ppoPlain' : 'ppoAnchor';

/** Every RL run of a seed: the main arm from all starts, the control arms from SFT_End; SFT_End first. */
function rlStages(settings: StudySettings): RlStage[] {
  const { preset, rl, sft } = settings;
  const starts = preset === 'comparison' ? [] : rl.starts;
  const arm = mainArm(settings);
  const mains = starts.map((start): RlStage => ({ arm, start }));
  const controls = rl.controlArms.map((control): RlStage => ({ arm: control, start: sft.endStep }));
  const all = [{ arm, start: sft.endStep }, ...controls, ...mains];
  const seen = new Set<string>();
  return all.filter(({ arm, start }) => {
    const key = `${arm}.${start}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

const stageId = (seed: number, name: string): string => `seed-${seed}.${name}`;
/** Name of the second SFT run of the preset `comparison`. */
export const penalisedName = 'sft-penalty';
const rlName = ({ arm, start }: RlStage): string => `rl-${arm}-${start}`;
function startLabel(start: RlStart, settings: StudySettings): string {
  if (start === 'peak') return 'the OOD peak';
  if (start === 0) return 'the base';
  return start === settings.sft.endStep ? `SFT_End (step ${start})` : `step ${start}`;
}

/** Spectra and reversions of the named checkpoints; RL_End is that of the anchored arm from SFT_End. */
function spectralStages(settings: StudySettings, seed: number): PlannedStage[] {
  const id = (name: string): string => stageId(seed, name);
  const dependsOn = [id(rlName({ arm: mainArm(settings), start: settings.sft.endStep }))];
  const weight = stageWeights(settings);
  return [
    {
      id: id('decompose'),
      seed,
      kind: 'decompose',
      title: 'Decompose and compare',
      dependsOn,
      weight: weight.decompose,
    },
    { id: id('ablate'), seed, kind: 'ablate', title: 'Revert, beside controls', dependsOn, weight: weight.ablate },
  ];
}

function planSeed(settings: StudySettings, seed: number): PlannedStage[] {
  const id = (name: string): string => stageId(seed, name);
  const weight = stageWeights(settings);
  const stages: PlannedStage[] = [];
  if (settings.base === null)
    stages.push({
      id: id('pretrain'),
      seed,
      kind: 'pretrain',
      title: 'Pretrain the base',
      dependsOn: [],
      weight: weight.pretrain,
    });
  const dependsOn = stages.map((stage) => stage.id);
  stages.push({ id: id('sft'), seed, kind: 'sft', title: 'SFT on ID data', dependsOn, weight: weight.sft });
  if (settings.preset === 'comparison')
    stages.push({
      id: id(penalisedName),
      seed,
      kind: 'sft',
      title: 'SFT with rotation penalty',
      dependsOn,
      weight: weight.sft,
    });
  for (const stage of rlStages(settings))
    stages.push({
      id: id(rlName(stage)),
      seed,
      kind: 'rl',
      title: `RL, ${rlArmLabels[stage.arm]}, from ${startLabel(stage.start, settings)}`,
      dependsOn: [id('sft')],
      weight: weight.rl,
    });
  if (settings.preset === 'miniature') stages.push(...spectralStages(settings, seed));
  const before = stages.map((stage) => stage.id);
  stages.push({
    id: id('analyse'),
    seed,
    kind: 'analyse',
    title: 'Test and put in words',
    dependsOn: before,
    weight: 3,
  });
  return stages;
}

function plan(settings: StudySettings): PlannedStage[] {
  const seeds = settings.seeds.flatMap((seed) => planSeed(settings, seed));
  const verdicts = settings.seeds.map((seed) => stageId(seed, 'analyse'));
  return [
    ...seeds,
    { id: 'analyse', seed: -1, kind: 'analyse', title: 'Over the seeds', dependsOn: verdicts, weight: 1 },
  ];
}

/** Where the base of a seed is: given, or pretrained. */
function baseFolder(seed: number, { settings, outputs }: Pick<StageFacts, 'settings' | 'outputs'>): string {
  if (settings.base !== null) return settings.base.folder;
  return stageOutputSchemas.pretrain.parse(outputs.get(stageId(seed, 'pretrain'))).base;
}

/** SFT checkpoints that stay on the disk beside the peak; null: all. */
function keptSteps({ disk, rl, sft }: StudySettings): number[] | null {
  if (disk.keep === 'all') return null;
  const starts = rl.starts.filter((start) => start !== 'peak');
  const kept = new Set([...starts, sft.endStep, Math.max(...sft.checkpoints)]);
  return [...kept].sort((a, b) => a - b);
}

/** Checkpoints that one run has on the disk at most. */
export function checkpointsAtMost(settings: StudySettings): Record<'sft' | 'rl', number> {
  const { base, sft } = settings;
  const { iterations, evaluateEvery } = base === null ? settings.rl : settings.rl.text;
  // Of the named ones the peak may be another, and the one before it is removed after it is written.
  const most = (kept: number[] | null, evaluated: number): number =>
    kept === null ? evaluated : Math.min(evaluated, kept.length + 2);
  return {
    sft: most(keptSteps(settings), sft.checkpoints.length),
    // The start is an SFT checkpoint.
    rl: most(keptIterations(settings), Math.ceil(iterations / evaluateEvery)),
  };
}

/** RL checkpoints that stay on the disk beside the one with the best OOD accuracy; null: all. */
function keptIterations({ base, disk, rl }: StudySettings): number[] | null {
  return disk.keep === 'all' ? null : [base === null ? rl.iterations : rl.text.iterations];
}

/** Folders of the checkpoints that the study names, of one seed. */
function namedCheckpoints(seed: number, { settings, outputs }: StageFacts): Record<string, string> {
  const base = baseFolder(seed, { settings, outputs });
  const sft = stageOutputSchemas.sft.parse(outputs.get(stageId(seed, 'sft')));
  const rlEnd = outputs.get(stageId(seed, rlName({ arm: mainArm(settings), start: settings.sft.endStep })));
  const step = (at: number): string => sft.checkpoints[String(at)]!;
  return {
    base,
    peak: step(sft.peakStep),
    end: step(settings.sft.endStep),
    last: step(Math.max(...settings.sft.checkpoints)),
    rlEnd: stageOutputSchemas.rl.parse(rlEnd).folder,
  };
}

function resolveRl(stage: PlannedStage, facts: StageFacts): ResolvedStage {
  const { settings, studyFolder, outputs } = facts;
  const run = rlStages(settings).find((candidate) => stageId(stage.seed, rlName(candidate)) === stage.id)!;
  const base = baseFolder(stage.seed, facts);
  const sft = stageOutputSchemas.sft.parse(outputs.get(stageId(stage.seed, 'sft')));
  const startStep = run.start === 'peak' ? sft.peakStep : run.start;
  const twin = rlStages(settings).find((other) => other.start === startStep && other.arm === run.arm);
  if (run.start === 'peak' && twin)
    return { skip: true, reason: `The OOD peak is step ${startStep}, which has its own run.`, data: null };
  return {
    request: {
      seed: stage.seed,
      task: settings.task,
      outputFolder: join(studyFolder, `seed-${stage.seed}`, rlName(run)),
      rl: settings.rl,
      arm: run.arm,
      startStep,
      start: sft.checkpoints[String(startStep)],
      base,
      keep: keptIterations(settings),
      dtype: settings.disk.dtype,
    },
  };
}

function resolve(stage: PlannedStage, facts: StageFacts): ResolvedStage {
  const { settings, studyFolder } = facts;
  const { seed } = stage;
  const common = { seed, task: settings.task, outputFolder: join(studyFolder, `seed-${seed}`, stage.kind) };
  switch (stage.kind) {
    case 'pretrain':
      return { request: { ...common, model: settings.model, pretrain: settings.pretrain } };
    case 'sft': {
      const request = {
        ...common,
        base: baseFolder(seed, facts),
        sft: settings.sft,
        keep: keptSteps(settings),
        dtype: settings.disk.dtype,
      };
      if (stage.id !== stageId(seed, penalisedName)) return { request };
      const outputFolder = join(studyFolder, `seed-${seed}`, penalisedName);
      return { request: { ...request, outputFolder, sft: { ...settings.sft, ...settings.comparison } } };
    }
    case 'rl':
      return resolveRl(stage, facts);
    case 'decompose':
    case 'ablate':
      return { request: { ...common, ablation: settings.ablation, checkpoints: namedCheckpoints(seed, facts) } };
    case 'analyse': {
      const seeds = seed === -1 ? settings.seeds : [seed];
      return { request: { seed, seeds: seeds.map((one) => facts.seedResult(one)) } };
    }
    case 'hashCheckpoints':
    case 'copyCheckpoint':
    case 'diffCheckpoints':
    case 'compare':
    case 'sweep':
    case 'exportPoint':
    case 'hiddenStates':
    case 'selfTest':
    case 'backup':
    case 'restore':
    case 'moveData':
      throw new TypeError(`A study has no stage of kind ${stage.kind}.`);
  }
}

export const protocol: Protocol = { plan, resolve };
