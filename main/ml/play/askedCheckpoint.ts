/**
 * A checkpoint that is asked questions: its tokenizer and its model are read when a question first needs them and stay
 * until it is closed. Memory is asked for before a weight is read, and again for a question that is longer.
 */
import type { Compute } from '../../compute/compute.ts';
import { openCheckpoint } from '../checkpoints/openCheckpoint.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import { estimateMemory, type PlannedRun, requireMemory } from '../model/memoryEstimate.ts';
import type { ModelConfig } from '../model/modelConfig.ts';
import { loadModel, modelConfigOf } from '../model/modelFolder.ts';
import { bucketLength } from '../text/lengthBuckets.ts';
import { ChatCodec, configuredEnds } from '../text/chatCodec.ts';
import { TextTokenizer } from '../tokenizer/textTokenizer.ts';

export class AskedCheckpoint {
  readonly folder: string;
  readonly #compute: Compute;
  readonly #makeRoom: () => boolean;
  #config: ModelConfig | null = null;
  #tokenizer: TextTokenizer | null = null;
  #codec: ChatCodec | null = null;
  #model: LanguageModel | null = null;

  /** @param makeRoom lets go of something else that is held in memory; false: there is nothing */
  constructor(compute: Compute, folder: string, makeRoom: () => boolean) {
    this.#compute = compute;
    this.folder = folder;
    this.#makeRoom = makeRoom;
  }

  async tokenizer(): Promise<TextTokenizer> {
    return (this.#tokenizer ??= await TextTokenizer.open(this.folder));
  }

  /** @throws CHECKPOINT_INCOMPLETE no chat template */
  async codec(): Promise<ChatCodec> {
    return (this.#codec ??= new ChatCodec(await this.tokenizer(), await configuredEnds(this.folder)));
  }

  async config(): Promise<ModelConfig> {
    if (this.#config !== null) return this.#config;
    const checkpoint = await openCheckpoint(this.folder);
    try {
      return (this.#config = modelConfigOf(checkpoint));
    } finally {
      await checkpoint.close();
    }
  }

  /**
   * The model, for an answer of these lengths.
   * @throws OUT_OF_MEMORY with the numbers; what `signal` was aborted with
   */
  async model(promptTokens: number, newTokens: number, signal: AbortSignal): Promise<LanguageModel> {
    const run = { kind: 'generation' as const, batch: 1, promptTokens: bucketLength(promptTokens), newTokens };
    this.#requireMemory(await this.config(), run);
    return (this.#model ??= await loadModel(this.#compute, this.folder, signal));
  }

  #requireMemory(config: ModelConfig, run: PlannedRun): void {
    // What a GPU has free is its own affair: it says so itself when it does not fit.
    if (this.#compute.provenance['device'] === 'gpu') return;
    const { total, weights, program } = estimateMemory(config, run);
    // What is in memory already needs no more of it.
    const held = this.#model === null ? 0 : weights + program;
    while (total > process.availableMemory() + held && this.#makeRoom());
    requireMemory(config, run, process.availableMemory() + held);
  }

  close(): void {
    this.#model?.dispose();
    this.#model = null;
  }
}
