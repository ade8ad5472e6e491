/**
 * What the form says of a setting beside its name: the field's term, its unit, a hint. A setting that is not here is shown
 * under its own name. The sections `text` share the words of the sections that they extend.
 */
export interface SettingWords {
  label?: string;
  unit?: string;
  hint?: string;
}

/** By path; `text` sections are looked up with their own path first, then without `text`. */
export const settingWords: Record<string, SettingWords> = {
  seeds: { hint: 'Each is a whole repetition.' },
  'task.name': { label: 'Task' },
  'task.evaluationEpisodes': {
    label: 'Evaluation episodes a split',
    hint: 'The first half selects the peak, the second reports it.',
  },
  'task.evaluationSeed': { label: 'Seed of the held-out episodes' },
  'task.testShare': { label: 'Held-out share of the problems' },
  'task.text.target': { label: 'Target value', hint: 'What the formula has to give.' },
  'task.text.answerStyle': { hint: 'Published answers end with a trailing comma; JSON is strict.' },
  'task.text.routesFile': {
    label: 'Routes file',
    hint: "A JSON file on the engine's machine; empty: synthetic routes.",
  },
  'task.text.matched': { label: 'The same problems under both rules' },
  'task.text.attempts': { label: 'Attempts an answer (k)', hint: '1 is acc@1; more is acc@k-feedback.' },
  'task.text.decoding.mode': { label: 'Decoding of evaluation' },
  'task.text.decoding.temperature': { label: 'Temperature of evaluation' },
  'task.text.decoding.topP': { label: 'Top-p of evaluation' },
  'task.text.maxNewTokens': { label: 'Longest answer in evaluation', unit: 'tokens' },
  'task.text.samples': { label: 'Samples an episode for pass@k', hint: '1: none.' },
  'task.text.massEpisodes': {
    label: 'Episodes for the mass of right results',
    hint: 'Probability of every right result; 0: none.',
  },
  'pretrain.steps': { label: 'Steps' },
  'pretrain.warmupSteps': { unit: 'steps' },
  'pretrain.maxGradNorm': { label: 'Gradient norm clipped at' },
  'sft.examples': { label: 'Generated examples' },
  'sft.batchSize': { label: 'Batch size', unit: 'examples' },
  'sft.steps': { label: 'SFT steps' },
  'sft.learningRate': { label: 'SFT learning rate' },
  'sft.schedule': { label: 'Learning rate schedule' },
  'sft.warmupSteps': { label: 'Warm-up', unit: 'steps' },
  'sft.maxGradNorm': { label: 'Gradient norm clipped at' },
  'sft.rotationPenalty.coefficient': { label: 'Rotation penalty', hint: '0: none.' },
  'sft.rotationPenalty.rankShare': { label: 'Rotation penalty, leading share of ranks' },
  'sft.spectralDrift': {
    label: 'Stable rank and rotation by layer',
    hint: 'At every checkpoint: an SVD of each matrix, about half a minute of one core for half a billion parameters.',
  },
  'sft.checkpoints': { label: 'Checkpoints at', unit: 'steps', hint: 'Written and evaluated; 0 is the base itself.' },
  'sft.endStep': { label: 'SFT_End, the step that RL heals' },
  'sft.text.dataFile': { label: 'File of examples' },
  'sft.text.microBatchSize': {
    label: 'SFT micro-batch',
    unit: 'examples',
    hint: 'Less takes less memory; the update is the same.',
  },
  'sft.text.adamEps': { label: 'Adam epsilon' },
  'sft.text.beta1': { label: 'Adam beta 1' },
  'sft.text.beta2': { label: 'Adam beta 2' },
  'rl.starts': { label: 'RL starts', hint: 'SFT steps, or peak; 0 is the base.' },
  'rl.controlArms': { label: 'Further arms from SFT_End' },
  'rl.algorithm': { label: 'RL algorithm' },
  'rl.iterations': { label: 'RL iterations' },
  'rl.rolloutSize': { label: 'Rollout size', unit: 'answers an iteration' },
  'rl.groupSize': { label: 'Group size', unit: 'answers a prompt' },
  'rl.groupScale': { label: 'Group advantages divided by' },
  'rl.updateEpochs': { label: 'Epochs an iteration' },
  'rl.minibatchSize': { label: 'Minibatch', unit: 'answers an update' },
  'rl.learningRate': { label: 'Learning rate of the policy' },
  'rl.valueLearningRate': { label: 'Learning rate of the critic' },
  'rl.criticWarmupIterations': { label: 'Critic first', unit: 'iterations' },
  'rl.clipCoef': { label: 'Clip range of the ratio' },
  'rl.gamma': { label: 'Discount (gamma)' },
  'rl.gaeLambda': { label: 'GAE lambda' },
  'rl.vfCoef': { label: 'Value loss coefficient' },
  'rl.entCoef': { label: 'Entropy coefficient' },
  'rl.anchorCoef': { label: 'KL anchor coefficient', hint: 'Of the arms with an anchor to the base.' },
  'rl.tokenKlCoef': { label: 'Token KL penalty in the reward' },
  'rl.actionUnit': { label: 'One action is', hint: 'The whole answer, as published, or each token.' },
  'rl.maxGradNorm': { label: 'Gradient norm clipped at' },
  'rl.targetKl': { label: 'Target KL', hint: 'Ends the epochs of an iteration above it; empty: never.' },
  'rl.evaluateEvery': { label: 'Evaluated every', unit: 'iterations' },
  'rl.text.actionUnit': { label: 'The ratio is of' },
  'rl.text.microBatchSize': {
    label: 'RL micro-batch',
    unit: 'answers',
    hint: 'Less takes less memory; the update is the same. Empty: all at once.',
  },
  'rl.text.finalLearningRate': { label: 'Learning rate at the end of the cosine' },
  'rl.text.cosineIterations': { label: 'Length of the cosine', unit: 'iterations' },
  'rl.text.beta1': { label: 'Adam beta 1' },
  'rl.text.beta2': { label: 'Adam beta 2' },
  'rl.text.adamEps': { label: 'Adam epsilon' },
  'rl.text.valueHead': { label: 'Head of the critic' },
  'rl.text.prefixWeight': { label: 'Weight of the tokens before the last field' },
  'rl.text.dialogueAttempts': { label: 'Attempts in a dialogue', hint: 'Answers judged at each position.' },
  'rl.text.rolloutTemperature': { label: 'Temperature of rollouts' },
  'rl.text.rolloutTopP': { label: 'Top-p of rollouts' },
  'rl.text.maxNewTokens': { label: 'Longest answer in rollouts', unit: 'tokens' },
  'ablation.controlReplicates': { label: 'Control replicates an edit' },
  'ablation.interpolationAlphas': { label: 'Interpolation at' },
  'comparison.rotationPenalty.coefficient': { label: 'Rotation penalty of the second SFT run' },
  'comparison.rotationPenalty.rankShare': { label: 'Its leading share of ranks' },
  'disk.keep': {
    label: 'Checkpoints kept',
    hint: 'Named: of SFT the peak, SFT_End, the last one and the starts of RL; of RL the best OOD one and the last.',
  },
  'disk.dtype': {
    label: 'Weights saved as',
    hint: 'BF16 rounds a change below about 1/256 of its weight away, for spectra too; F32 is exact.',
  },
  'disk.budgetGB': { label: 'Disk budget', unit: 'GB', hint: 'Empty: the free space.' },
};

/** What is known of the setting at a path. */
export const wordsOf = (path: string): SettingWords => ({
  ...settingWords[path.replace('.text.', '.')],
  ...settingWords[path],
});
