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

export const taskSettingsSchema = z.object({
  name: z.enum(miniatureTasks).default('generalPoints3'),
  /** Episodes per split; the first half selects the peak, the second half reports it. */
  evaluationEpisodes: z.number().int().min(4).multipleOf(2).default(600),
  evaluationSeed: z.number().int().default(999),
  testShare: share.default(0.2),
});

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

export const sftSettingsSchema = z.object({
  examples: count.default(4000),
  batchSize: count.default(64),
  steps: count.default(500),
  learningRate: z.number().positive().default(2e-4),
  schedule: z.enum(['constant', 'cosine']).default('constant'),
  warmupSteps: z.number().int().min(0).default(0),
  weightDecay: z.number().min(0).default(0),
  maxGradNorm: z.number().positive().default(1),
  /** Penalty on turning the leading singular subspaces of the start away; coefficient 0: none. */
  rotationPenalty: z
    .object({ coefficient: z.number().min(0), rankShare: z.number().gt(0).max(1) })
    .default({ coefficient: 0, rankShare: 0.25 }),
  /** Stable rank and rotation by layer at every checkpoint: two SVDs a matrix, for small models. */
  spectralDrift: z.boolean().default(true),
  /** Steps at which a checkpoint is written and evaluated; 0 is the base itself. */
  checkpoints: z
    .array(z.number().int().min(0))
    .default([0, 5, 10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 250, 300, 400, 500]),
  /** SFT_End, the checkpoint that RL heals; not the last one. */
  endStep: count.default(200),
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

export const ablationSettingsSchema = z.object({
  matrices: z.array(z.enum(['q', 'k', 'v', 'gate', 'up', 'down'])).default(['q', 'k', 'v', 'gate', 'up', 'down']),
  /** Whole edited models per random control: 19 give p >= 0.05 resolution. */
  controlReplicates: z.number().int().min(0).default(19),
  interpolationAlphas: z.array(z.number()).default([0.25, 0.5, 0.75]),
  angleRankShare: share.default(0.5),
  angleNullDraws: z.number().int().min(1).default(50),
});

/** `miniature`: the paper's story whole. `comparison`: what can be done about the forgetting, side by side. */
export const studyPresets = ['miniature', 'comparison'] as const;
export type StudyPreset = (typeof studyPresets)[number];
export const studyPresetNames: Record<StudyPreset, string> = {
  miniature: 'Miniature study',
  comparison: 'Comparison of remedies',
};

const studyFields = z.object({
  preset: z.enum(studyPresets).default('miniature'),
  name: z.string().trim().min(1).max(120).default('Miniature study'),
  seeds: z.array(z.number().int().min(0).max(1_000_000)).min(1).max(20).default([0]),
  task: taskSettingsSchema.prefault({}),
  model: modelSettingsSchema.prefault({}),
  pretrain: pretrainSettingsSchema.prefault({}),
  sft: sftSettingsSchema.prefault({}),
  rl: rlSettingsSchema.prefault({}),
  ablation: ablationSettingsSchema.prefault({}),
  /** Of the preset `comparison`: the second SFT run, equal to the first but for this penalty. */
  comparison: z
    .object({ rotationPenalty: z.object({ coefficient: z.number().positive(), rankShare: z.number().gt(0).max(1) }) })
    .default({ rotationPenalty: { coefficient: 100, rankShare: 0.25 } }),
});

/** The fields, and what has to hold between them. */
export const studySettingsSchema = studyFields.superRefine(({ model, sft, rl, seeds }, context) => {
  const refuse = (path: string[], message: string): void => void context.addIssue({ code: 'custom', path, message });
  const saved = new Set(sft.checkpoints);
  if (!saved.has(0)) refuse(['sft', 'checkpoints'], 'Step 0 (the base) has to be among the SFT checkpoints.');
  if (!saved.has(sft.endStep))
    refuse(['sft', 'endStep'], `SFT_End (step ${sft.endStep}) is not among the checkpoints.`);
  if (Math.max(...sft.checkpoints) > sft.steps)
    refuse(['sft', 'checkpoints'], 'A checkpoint lies after the last step.');
  for (const start of rl.starts)
    if (start !== 'peak' && !saved.has(start)) refuse(['rl', 'starts'], `RL start ${start} is not an SFT checkpoint.`);
  if (rl.algorithm === 'grpo' && rl.rolloutSize % rl.groupSize !== 0)
    refuse(['rl', 'groupSize'], `The rollout size ${rl.rolloutSize} is not a multiple of the group size.`);
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
export type SftSettings = z.infer<typeof sftSettingsSchema>;
export type RlSettings = z.infer<typeof rlSettingsSchema>;
export type TextRlSettings = z.infer<typeof textRlSettingsSchema>;
export type AblationSettings = z.infer<typeof ablationSettingsSchema>;
