/**
 * Settings to begin with, as data: what a preset names is set, everything else has the schema's default. The numbers of the
 * two "paper" presets are those of the published runs; what the published runs leave open is said beside it.
 */
import type { StudySettingsInput } from './settings.ts';

export interface SettingsPreset {
  /** On the command line: `rotascope study <id>`. */
  id: string;
  label: string;
  about: string;
  /** The checkpoint to start from: there is none, it has to be chosen, or it may be chosen with a task in text. */
  base: 'none' | 'required' | 'optional';
  settings: StudySettingsInput;
}

/** Evaluated checkpoints of the published LLaMA curve; RL starts from each of them. */
const llamaSteps = [0, 90, 140, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100, 1200, 1300, 1400, 1500, 1600];
const qwenSteps = [0, 50, 90, 120, 140, 200, 300, 400, 500, 600, 700, 800];

/** Answers as published evaluation asks for them: five verified attempts a hand, 234 hands a split. */
const task = {
  name: 'generalPoints',
  evaluationEpisodes: 234,
  text: { attempts: 5, maxNewTokens: 512, decoding: { mode: 'sample', temperature: 0.2, topP: 1 } },
} as const satisfies StudySettingsInput['task'];

/** One epoch in batches of 64, half a cosine after a warm-up over 3 % of the steps. */
function sft(checkpoints: number[], endStep: number): NonNullable<StudySettingsInput['sft']> {
  const steps = Math.max(...checkpoints);
  return {
    ...{ steps, endStep, checkpoints, batchSize: 64, examples: 64 * steps },
    ...{ learningRate: 1e-6, schedule: 'cosineWithWarmup', warmupSteps: Math.ceil(0.03 * steps), weightDecay: 0 },
    text: { beta1: 0.9, beta2: 0.98, adamEps: 1e-7, microBatchSize: 1 },
  };
}

/** The defaults of RL in text are those of the published runs; each run is evaluated at its start and at its end. */
const text = { iterations: 10, evaluateEvery: 10 };

export const settingsPresets: readonly SettingsPreset[] = [
  {
    id: 'miniature',
    label: 'Miniature study',
    about: 'The paper in miniature: base, SFT, RL in three arms, decomposition, reversions beside controls.',
    base: 'none',
    settings: { preset: 'miniature', name: 'Miniature study' },
  },
  {
    id: 'comparison',
    label: 'Comparison of remedies',
    about:
      'What can be done about the forgetting: SFT, SFT stopped at the peak, SFT with a penalty on rotating the leading singular subspaces, and RL from SFT_End in three arms; all from one base.',
    base: 'optional',
    settings: { preset: 'comparison', name: 'Comparison of remedies' },
  },
  {
    id: 'paper-llama',
    label: 'Paper, LLaMA',
    about:
      'GeneralPoints as published for LLaMA-3.2: 1,600 steps of SFT, PPO without KL term from each of 18 checkpoints, SFT_End at step 1,100.',
    base: 'required',
    settings: {
      preset: 'paper',
      name: 'Paper, LLaMA',
      task,
      sft: sft(llamaSteps, 1100),
      rl: { starts: llamaSteps, controlArms: [], text },
    },
  },
  {
    id: 'paper-qwen',
    label: 'Paper, Qwen',
    about:
      'GeneralPoints as published for Qwen-2.5: 800 steps of SFT, PPO without KL term from its checkpoints, SFT_End at step 800.',
    base: 'required',
    settings: {
      preset: 'paper',
      name: 'Paper, Qwen',
      task,
      sft: sft(qwenSteps, 800),
      rl: { starts: qwenSteps, controlArms: [], text },
    },
  },
  {
    id: 'single-stage-rl',
    label: 'RL without SFT',
    about:
      'PPO from the checkpoint as it is, beside a short SFT: reward and success rate are shown apart, so that reward without success is seen.',
    base: 'required',
    settings: {
      preset: 'paper',
      name: 'RL without SFT',
      task,
      sft: sft([0, 90], 90),
      rl: { starts: [0], controlArms: [], text: { iterations: 40, evaluateEvery: 10 } },
    },
  },
];
