/** Models side by side that are given one edited set of weights after another and asked the frozen episodes. */
import type { Compute } from '../../compute/compute.ts';
import type { Evaluation } from '../../contract/evaluation.ts';
import type { TaskSettings } from '../../contract/settings.ts';
import { episodeSets, evaluateModel, openTask } from '../../ml/evaluation/evaluateModel.ts';
import { LanguageModel } from '../../ml/model/languageModel.ts';
import { parseModelConfig, type ModelConfig } from '../../ml/model/modelConfig.ts';
import type { WeightMap } from '../../ml/model/weights.ts';

/** One session is one thread of the CPU; a GPU, and WebAssembly's one thread, are not shared. */
export function modelsSideBySide(compute: Compute, threads: number): number {
  const cpu = compute.backend === 'tensorflow' && compute.provenance['device'] === 'cpu';
  return cpu ? Math.max(1, threads) : 1;
}

export class SweepModels {
  readonly #compute: Compute;
  readonly #task;
  readonly #sets;
  readonly #idle: { config: string; model: LanguageModel }[] = [];
  /** Ends with the first evaluation of the newest model: steps are traced one at a time in a process. */
  #compiled: Promise<unknown> = Promise.resolve();

  constructor(compute: Compute, settings: TaskSettings) {
    this.#compute = compute;
    this.#task = openTask(settings);
    this.#sets = episodeSets(this.#task, settings);
  }

  /** @param config `config.json` of the edited checkpoint; as many models are made as evaluate at the same time */
  async evaluate(config: object, weights: WeightMap): Promise<Evaluation> {
    const key = JSON.stringify(config);
    const at = this.#idle.findIndex((one) => one.config === key);
    const idle = at < 0 ? undefined : this.#idle.splice(at, 1)[0];
    await idle?.model.writeWeights(weights);
    const { model, evaluation } = idle
      ? { model: idle.model, evaluation: await evaluateModel(idle.model, this.#task, this.#sets) }
      : await this.#first(parseModelConfig(config), weights);
    this.#idle.push({ config: key, model });
    return evaluation;
  }

  #first(config: ModelConfig, weights: WeightMap): Promise<{ model: LanguageModel; evaluation: Evaluation }> {
    const first = this.#compiled.then(async () => {
      const model = new LanguageModel(this.#compute, config, weights);
      return { model, evaluation: await evaluateModel(model, this.#task, this.#sets) };
    });
    this.#compiled = first.catch(() => undefined);
    return first;
  }

  dispose(): void {
    for (const { model } of this.#idle.splice(0)) model.dispose();
  }
}
