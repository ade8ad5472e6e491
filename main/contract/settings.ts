/**
 * The settings of a study: every number of the protocol, with the defaults of the miniature recipe.
 * The same schema makes the form, checks the request on the wire and is stored with the study.
 */
import { z } from 'zod';

/** KL anchor: forward KL(reference || policy), full distribution, per response token. */
export const rlArms = ['ppoAnchor', 'ppoPlain', 'anchorOnly'] as const;
export const rlArmSchema = z.enum(rlArms);
export type RlArm = z.infer<typeof rlArmSchema>;

/** The words shown for each arm, everywhere. */
export const rlArmLabels: Record<RlArm, string> = {
  ppoAnchor: 'PPO + KL anchor to base',
  ppoPlain: 'plain PPO',
  anchorOnly: 'anchor without reward',
};

const count = z.number().int().positive();
const share = z.number().min(0).max(1);

export const modelSettingsSchema = z.object({
  hiddenSize: count.default(64),
  numHiddenLayers: count.default(3),
  numAttentionHeads: count.default(4),
  numKeyValueHeads: count.default(2),
  intermediateSize: count.default(160),
  ropeTheta: z.number().positive().default(10000),
  rmsNormEps: z.number().positive().default(1e-6),
});

/** Tasks in tokens, for models that a study trains from nothing. */
export const miniatureTasks = ['generalPoints3', 'navigation3'] as const;
export const miniatureTaskNames: Record<(typeof miniatureTasks)[number], string> = {
  generalPoints3: 'GeneralPoints, three cards',
  navigation3: 'Navigation, three legs',
};

/** Tasks in text, asked of checkpoints that bring their own tokenizer. */
export const textTaskNames = ['generalPoints', 'navigation', 'determinant', 'rank'] as const;
export type TextTaskName = (typeof textTaskNames)[number];
export type TaskName = (typeof miniatureTasks)[number] | TextTaskName;
export const textTaskLabels: Record<TextTaskName, string> = {
  generalPoints: 'GeneralPoints',
  navigation: 'Navigation',
  determinant: 'Determinant',
  rank: 'Rank of a matrix',
};

export const isTextTask = (name: TaskName): name is TextTaskName => (textTaskNames as readonly string[]).includes(name);

/** How a task in text is put and answered; tasks in tokens have no use for it. */
export const textTaskSettingsSchema = z.object({
  /** GeneralPoints: what the formula has to give. */
  target: count.default(24),
  /** `published` answers end with a trailing comma; `json` is strict JSON. */
  answerStyle: z.enum(['published', 'json']).default('published'),
  /** Navigation: routes from this JSON file on the engine's machine; null: synthetic ones. */
  routesFile: z.string().min(1).nullable().default(null),
  /** The same held-out problems under both rules (generalPoints, navigation), so that ID and OOD differ in the rule alone. */
  matched: z.boolean().default(false),
  /** Answers judged at each position: 1 is acc@1, k is acc@k-feedback. */
  attempts: count.max(20).default(1),
  decoding: z
    .object({ mode: z.enum(['greedy', 'sample']), temperature: z.number().positive(), topP: z.number().gt(0).max(1) })
    .default({ mode: 'greedy', temperature: 1, topP: 1 }),
  /** Tokens of an answer at most. */
  maxNewTokens: count.max(8192).default(256),
  /** Independent sampled dialogues an episode; above 1 pass@k is given up to so many. */
  samples: count.max(256).default(1),
  /** The first so many episodes of each split are asked for the probability of every right result; 0: none. */
  massEpisodes: z.number().int().min(0).default(0),
});
export type TextTaskSettings = z.infer<typeof textTaskSettingsSchema>;

export const taskSettingsSchema = z.object({
  name: z.enum([...miniatureTasks, ...textTaskNames]).default('generalPoints3'),
  /** Episodes per split; the first half selects the peak, the second half reports it. */
  evaluationEpisodes: z.number().int().min(4).multipleOf(2).default(600),
  evaluationSeed: z.number().int().default(999),
  testShare: share.default(0.2),
  text: textTaskSettingsSchema.prefault({}),
});

/** What the numbers of a task depend on: those in tokens are older than the settings of those in text, and keep their hash. */
export function countedTask(task: TaskSettings): object {
  const { text, ...counted } = task;
  return isTextTask(task.name) ? { ...counted, text } : counted;
}

/** A checkpoint of the catalogue that a study starts from. */
export const baseSettingsSchema = z.object({
  /** As the catalogue has it. */
  folder: z.string().min(1),
  /** The engine fills these in from the catalogue. */
  name: z.string().default(''),
  contentHash: z.string().nullable().default(null),
  parameters: count.nullable().default(null),
});
export type BaseSettings = z.infer<typeof baseSettingsSchema>;

export const pretrainSettingsSchema = z.object({
  steps: count.default(1000),
  batchSize: count.default(96),
  learningRate: z.number().positive().default(2e-3),
  warmupSteps: z.number().int().min(0).default(100),
  finalLearningRateShare: share.default(0.05),
  oodRuleShare: share.default(0.5),
  ruleNoise: share.default(0.02),
  faceShare: share.default(0.7),
  mixture: z
    .object({ full: share, full2: share, alt: share, nums: share, direct: share })
    .default({ full: 0.001, full2: 0.1, alt: 0.7, nums: 0.1, direct: 0.099 }),
  maxGradNorm: z.number().positive().default(1),
});

/** SFT of a checkpoint in text; studies that pretrain their base have no use for it. */
export const textSftSettingsSchema = z.object({
  /** JSONL with one {"messages": [...]} a line, on the engine's machine; null: `examples` are generated from the task. */
  dataFile: z.string().min(1).nullable().default(null),
  /** AdamW, as torch names it. */
  beta1: share.default(0.9),
  beta2: share.default(0.98),
  adamEps: z.number().positive().default(1e-7),
  /** Rows at a time: less memory, the same update. */
  microBatchSize: count.default(4),
});

export const sftSettingsSchema = z.object({
  examples: count.default(4000),
  batchSize: count.default(64),
  steps: count.default(500),
  learningRate: z.number().positive().default(2e-4),
  /** `cosineWithWarmup`: as Hugging Face has it, from 0 to the rate and then half a cosine over the rest. */
  schedule: z.enum(['constant', 'cosine', 'cosineWithWarmup']).default('constant'),
  warmupSteps: z.number().int().min(0).default(0),
  weightDecay: z.number().min(0).default(0),
  maxGradNorm: z.number().positive().default(1),
  /** Penalty on turning the leading singular subspaces of the start away; coefficient 0: none. */
  rotationPenalty: z
    .object({ coefficient: z.number().min(0), rankShare: z.number().gt(0).max(1) })
    .default({ coefficient: 0, rankShare: 0.25 }),
  /** Stable rank and rotation by layer at every checkpoint: an SVD a matrix, beside those of the start. */
  spectralDrift: z.boolean().default(true),
  /** Steps at which a checkpoint is written and evaluated; 0 is the base itself. */
  checkpoints: z
    .array(z.number().int().min(0))
    .default([0, 5, 10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 250, 300, 400, 500]),
  /** SFT_End, the checkpoint that RL heals; not the last one. */
  endStep: count.default(200),
  text: textSftSettingsSchema.prefault({}),
});

export const rlSettingsSchema = z.object({
  /** GRPO: no critic; each answer is judged against the other answers to its prompt. */
  algorithm: z.enum(['ppo', 'grpo']).default('ppo'),
  iterations: count.default(40),
  rolloutSize: count.default(256),
  /** Answers to one prompt (GRPO); divides the rollout size. */
  groupSize: z.number().int().min(2).default(8),
  /** Divide a group's advantages by its deviation of rewards (GRPO), or leave them (Dr. GRPO). */
  groupScale: z.enum(['deviation', 'none']).default('deviation'),
  updateEpochs: count.default(2),
  minibatchSize: count.default(256),
  learningRate: z.number().positive().default(3e-4),
  valueLearningRate: z.number().positive().default(2e-3),
  criticWarmupIterations: z.number().int().min(0).default(5),
  clipCoef: z.number().positive().default(0.2),
  gamma: share.default(1),
  gaeLambda: share.default(0.95),
  vfCoef: z.number().min(0).default(0.5),
  entCoef: z.number().min(0).default(0.02),
  anchorCoef: z.number().min(0).default(1),
  /** Per-token KL penalty in the reward: coefficient of log pi_old - log pi_base of the sampled token. */
  tokenKlCoef: z.number().min(0).default(0),
  /** What one action is: a token (GAE over the answer's tokens) or, as in the paper, the whole answer. */
  actionUnit: z.enum(['token', 'answer']).default('token'),
  maxGradNorm: z.number().positive().default(1),
  normalizeAdvantages: z.boolean().default(true),
  /** How: biased or unbiased, over the variance or the deviation; the paper's code has `unbiasedDeviation`. */
  whitening: z
    .enum(['biasedVariance', 'unbiasedVariance', 'unbiasedDeviation', 'biasedDeviation'])
    .default('biasedDeviation'),
  /** Clip the value loss by clipCoef, as CleanRL and the paper's code do. */
  clipValueLoss: z.boolean().default(false),
  /** Stop the epochs of an iteration once the approximate KL of its last minibatch is above this; null: never. */
  targetKl: z.number().positive().nullable().default(null),
  rewards: z
    .object({ correct: z.number(), wrongFormula: z.number(), wrongNumber: z.number(), badFormat: z.number() })
    .default({ correct: 1, wrongFormula: 0, wrongNumber: 0, badFormat: -0.5 }),
  evaluateEvery: count.default(10),
  /** SFT steps that RL with anchor starts from; `peak` is resolved from the selection half. */
  starts: z.array(z.union([z.literal('peak'), z.number().int().min(0)])).default([200, 0, 'peak', 100, 300, 500]),
  /** Arms run from SFT_End beside the anchored one, so that the recovery is attributed. */
  controlArms: z.array(rlArmSchema).default(['ppoPlain', 'anchorOnly']),
});

/**
 * RL of a checkpoint on a task in text, with the defaults of the published runs. One action is one whole answer; the task
 * has its own rewards.
 */
export const textRlSettingsSchema = rlSettingsSchema.omit({ rewards: true, starts: true, controlArms: true }).extend({
  iterations: count.default(10),
  /** Answers of one iteration. */
  rolloutSize: count.default(256),
  updateEpochs: count.default(4),
  /** Answers of one update. */
  minibatchSize: count.default(128),
  /** Rows at a time, whose gradients are gathered for one update; null: all at once. The result is the same. */
  microBatchSize: count.nullable().default(1),
  learningRate: z.number().positive().default(1e-6),
  /** Where the cosine of the learning rate ends, and after how many iterations with a learning policy. */
  finalLearningRate: z.number().min(0).default(1e-9),
  cosineIterations: count.default(100),
  valueLearningRate: z.number().positive().default(1e-6),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  adamEps: z.number().positive().default(1e-7),
  maxGradNorm: z.number().positive().default(0.01),
  criticWarmupIterations: z.number().int().min(0).default(0),
  /** The critic's head on the last prompt token: one layer, or h -> h/4 -> h/8 -> 1. */
  valueHead: z.enum(['linear', 'mlp']).default('mlp'),
  clipCoef: z.number().positive().default(0.1),
  gamma: share.default(0.9),
  entCoef: z.number().min(0).default(0),
  /** What the clipped ratio is of: the whole answer, or each token, which then has its answer's advantage. */
  actionUnit: z.enum(['token', 'answer']).default('answer'),
  /** Weight of the tokens before the answer's last field in its log-probability; 1: all tokens alike. */
  prefixWeight: z.number().min(0).max(1).default(0.5),
  whitening: rlSettingsSchema.shape.whitening.unwrap().default('unbiasedDeviation'),
  clipValueLoss: z.boolean().default(true),
  /** Answers that are judged at each position of a dialogue (PPO; a group of GRPO answers one prompt once). */
  dialogueAttempts: count.default(5),
  /** Log-probabilities, entropy and KL are of the distribution at this temperature. */
  rolloutTemperature: z.number().positive().default(0.2),
  rolloutTopP: z.number().gt(0).max(1).default(1),
  maxNewTokens: count.default(512),
  evaluateEvery: count.default(1),
});

/** Of studies that start from a checkpoint `starts`, `controlArms` and `text` count. */
export const studyRlSettingsSchema = rlSettingsSchema.extend({ text: textRlSettingsSchema.prefault({}) });

export const ablationSettingsSchema = z.object({
  matrices: z.array(z.enum(['q', 'k', 'v', 'gate', 'up', 'down'])).default(['q', 'k', 'v', 'gate', 'up', 'down']),
  /** Whole edited models per random control: 19 give p >= 0.05 resolution. */
  controlReplicates: z.number().int().min(0).default(19),
  interpolationAlphas: z.array(z.number()).default([0.25, 0.5, 0.75]),
  angleRankShare: share.default(0.5),
  angleNullDraws: z.number().int().min(1).default(50),
});

/** Type of saved weights: that of the checkpoint they began with, or exactly as they are trained. */
export const savedDtypeSchema = z.enum(['same', 'F32']);
export type SavedDtype = z.infer<typeof savedDtypeSchema>;

/** What a study keeps on the disk. Only `dtype` changes numbers. */
export const diskSettingsSchema = z.object({
  /**
   * Of the evaluated checkpoints. `named`: of SFT the peak, SFT_End, the last one and the starts of RL, of an RL run the best
   * OOD one and the last; the others are evaluated only.
   */
  keep: z.enum(['all', 'named']).default('all'),
  /** Of studies of a checkpoint, whose SFT and RL checkpoints are saved so. Bases that are trained are F32 anyway. */
  dtype: savedDtypeSchema.default('same'),
  /** Refused before the start when its checkpoints take more than this; null: the free space is the limit. */
  budgetGB: z.number().positive().nullable().default(null),
});

/**
 * `miniature`: the paper's story whole, on a base of its own. `paper`: the same on a given checkpoint, whose spectra and
 * reversions are asked for on the pages Spectrum and Ablations. `comparison`: what can be done about the forgetting, side by
 * side, on either.
 */
export const studyPresets = ['miniature', 'comparison', 'paper'] as const;
export type StudyPreset = (typeof studyPresets)[number];
export const studyPresetNames: Record<StudyPreset, string> = {
  miniature: 'Miniature study',
  comparison: 'Comparison of remedies',
  paper: 'Study of a checkpoint',
};

const studyFields = z.object({
  preset: z.enum(studyPresets).default('miniature'),
  name: z.string().trim().min(1).max(120).default('Miniature study'),
  seeds: z.array(z.number().int().min(0).max(1_000_000)).min(1).max(20).default([0]),
  /** The checkpoint to start from, with a task in text; null: a small model is pretrained, for a task in tokens. */
  base: baseSettingsSchema.nullable().default(null),
  task: taskSettingsSchema.prefault({}),
  model: modelSettingsSchema.prefault({}),
  pretrain: pretrainSettingsSchema.prefault({}),
  sft: sftSettingsSchema.prefault({}),
  rl: studyRlSettingsSchema.prefault({}),
  ablation: ablationSettingsSchema.prefault({}),
  /** Of the preset `comparison`: the second SFT run, equal to the first but for this penalty. */
  comparison: z
    .object({ rotationPenalty: z.object({ coefficient: z.number().positive(), rankShare: z.number().gt(0).max(1) }) })
    .default({ rotationPenalty: { coefficient: 100, rankShare: 0.25 } }),
  disk: diskSettingsSchema.prefault({}),
});

/** The fields, and what has to hold between them. */
export const studySettingsSchema = studyFields.superRefine(({ preset, base, task, model, sft, rl, seeds }, context) => {
  const refuse = (path: string[], message: string): void => void context.addIssue({ code: 'custom', path, message });
  const label = studyPresetNames[preset];
  if (base === null && isTextTask(task.name))
    refuse(['base'], `${textTaskLabels[task.name]} is asked in text: choose the checkpoint to start from.`);
  if (base !== null && !isTextTask(task.name))
    refuse(['task', 'name'], `A checkpoint is asked a task in text: ${Object.values(textTaskLabels).join(', ')}.`);
  if (base === null && preset === 'paper') refuse(['base'], `${label}: choose the checkpoint to start from.`);
  if (base !== null && preset === 'miniature')
    refuse(['preset'], `${label}: trains its own base. Choose "${studyPresetNames.paper}" for a checkpoint.`);
  if (task.text.matched && task.name !== 'generalPoints' && task.name !== 'navigation')
    refuse(['task', 'text', 'matched'], 'Matched sets exist for GeneralPoints and Navigation.');
  if (task.text.massEpisodes > task.evaluationEpisodes)
    refuse(['task', 'text', 'massEpisodes'], 'There are fewer evaluation episodes than this.');
  const saved = new Set(sft.checkpoints);
  if (!saved.has(0)) refuse(['sft', 'checkpoints'], 'Step 0 (the base) has to be among the SFT checkpoints.');
  if (!saved.has(sft.endStep))
    refuse(['sft', 'endStep'], `SFT_End (step ${sft.endStep}) is not among the checkpoints.`);
  if (Math.max(...sft.checkpoints) > sft.steps)
    refuse(['sft', 'checkpoints'], 'A checkpoint lies after the last step.');
  for (const start of rl.starts)
    if (start !== 'peak' && !saved.has(start)) refuse(['rl', 'starts'], `RL start ${start} is not an SFT checkpoint.`);
  const [{ algorithm, rolloutSize, groupSize }, at] =
    base === null ? ([rl, ['rl', 'groupSize']] as const) : ([rl.text, ['rl', 'text', 'groupSize']] as const);
  if (algorithm === 'grpo' && rolloutSize % groupSize !== 0)
    refuse([...at], `The rollout size ${rolloutSize} is not a multiple of the group size.`);
  if (new Set(seeds).size !== seeds.length) refuse(['seeds'], 'A seed is listed twice.');
  if (model.hiddenSize % (2 * model.numAttentionHeads) !== 0)
    refuse(['model', 'hiddenSize'], 'The hidden size has to be a multiple of twice the number of heads.');
  if (model.numAttentionHeads % model.numKeyValueHeads !== 0)
    refuse(['model', 'numKeyValueHeads'], 'The number of heads has to be a multiple of the number of KV heads.');
});
export type StudySettings = z.infer<typeof studySettingsSchema>;
export type StudySettingsInput = z.input<typeof studySettingsSchema>;
export type ModelSettings = z.infer<typeof modelSettingsSchema>;
export type TaskSettings = z.infer<typeof taskSettingsSchema>;
export type PretrainSettings = z.infer<typeof pretrainSettingsSchema>;
export type TextSftSettings = z.infer<typeof textSftSettingsSchema>;
export type SftSettings = z.infer<typeof sftSettingsSchema>;
export type RlSettings = z.infer<typeof rlSettingsSchema>;
export type TextRlSettings = z.infer<typeof textRlSettingsSchema>;
export type AblationSettings = z.infer<typeof ablationSettingsSchema>;
