/** Models side by side that are given one edited set of weights after another and asked the frozen episodes. */
import type { Compute } from '../../compute/compute.ts';
import { isTextTask, type TaskSettings } from '../../contract/settings.ts';
import type { Checkpoint } from '../../ml/checkpoints/openCheckpoint.ts';
import { openEvaluator, type Evaluator } from '../../ml/evaluation/evaluator.ts';
import { LanguageModel } from '../../ml/model/languageModel.ts';
import { parseModelConfig, type ModelConfig } from '../../ml/model/modelConfig.ts';
import type { WeightMap } from '../../ml/model/weights.ts';

/**
 * One session is one thread of the CPU; a GPU, WebAssembly's one thread, and the machine that a model of a task in text has
 * to itself are not shared.
 */
export function modelsSideBySide(compute: Compute, { name }: TaskSettings, threads: number): number {
  if (isTextTask(name)) return 1;
  const cpu = compute.backend === 'tensorflow' && compute.provenance['device'] === 'cpu';
  return cpu ? Math.max(1, threads) : 1;
}

type Answered = Awaited<ReturnType<Evaluator['evaluate']>>;

export class SweepModels {
  readonly #compute: Compute;
  readonly #task: TaskSettings;
  readonly #evaluators = new Map<string, Promise<Evaluator>>();
  readonly #idle: { config: string; model: LanguageModel }[] = [];
  /** Ends with the first evaluation of the newest model: steps are traced one at a time in a process. */
  #compiled: Promise<unknown> = Promise.resolve();

  constructor(compute: Compute, settings: TaskSettings) {
    this.#compute = compute;
    this.#task = settings;
  }

  /** @param edited the checkpoint; as many models are made as evaluate at the same time */
  async evaluate({ config, place }: Checkpoint, weights: WeightMap): Promise<Answered> {
    const evaluator = await this.#evaluatorOf(place.root);
    const key = JSON.stringify(config);
    const at = this.#idle.findIndex((one) => one.config === key);
    const idle = at < 0 ? undefined : this.#idle.splice(at, 1)[0];
    await idle?.model.writeWeights(weights);
    const { model, ...answered } = idle
      ? { model: idle.model, ...(await evaluator.evaluate(idle.model)) }
      : await this.#first(evaluator, parseModelConfig(config!), weights);
    this.#idle.push({ config: key, model });
    return answered;
  }

  #evaluatorOf(folder: string): Promise<Evaluator> {
    const known = this.#evaluators.get(folder) ?? openEvaluator(this.#task, folder);
    this.#evaluators.set(folder, known);
    return known;
  }

  #first(evaluator: Evaluator, config: ModelConfig, weights: WeightMap): Promise<Answered & { model: LanguageModel }> {
    const first = this.#compiled.then(async () => {
      const model = new LanguageModel(this.#compute, config, weights);
      return { model, ...(await evaluator.evaluate(model)) };
    });
    this.#compiled = first.catch(() => undefined);
    return first;
  }

  dispose(): void {
    for (const { model } of this.#idle.splice(0)) model.dispose();
  }
}
