/**
 * A checkpoint in the shape of Qwen2.5-0.5B with random bfloat16 weights, and a smaller one: loaded, sixteen tokens
 * generated, SFT steps and RL updates taken, its spectra measured, each in a process of its own, with time and peak memory
 * beside the estimate that a run is refused by.
 *
 *   npm run bench -- halfBillion [--threads CORES]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { cpus, freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AppError } from '../../main/contract/errors.ts';
import { sftSettingsSchema } from '../../main/contract/settings.ts';
import { type PlannedRun, type PlannedTraining, requireMemory } from '../../main/ml/model/memoryEstimate.ts';
import { type ModelConfig, parseModelConfig, toHuggingFaceConfig } from '../../main/ml/model/modelConfig.ts';
import { parameterCount, weightCatalogue } from '../../main/ml/model/weights.ts';
import { Philox } from '../../main/ml/random/philox.ts';
import { rotationPenaltyBytes } from '../../main/ml/training/rotationPenalty.ts';
import { driftBytes } from '../../main/ml/training/spectralDrift.ts';
import type { ModelRun, ModelRunResult } from './modelRun.ts';

const shared = { architectures: ['Qwen2ForCausalLM'], rms_norm_eps: 1e-6, rope_theta: 1e6, tie_word_embeddings: true };
const shapes: { name: string; config: ModelConfig }[] = [
  {
    name: 'Qwen2.5-0.5B-shaped',
    config: parseModelConfig({ ...shared, vocab_size: 151_936, hidden_size: 896, intermediate_size: 4864, num_hidden_layers: 24, num_attention_heads: 14, num_key_value_heads: 2 }), // prettier-ignore
  },
  {
    name: 'a tenth of it',
    config: parseModelConfig({ ...shared, vocab_size: 32_000, hidden_size: 512, intermediate_size: 2048, num_hidden_layers: 8, num_attention_heads: 8, num_key_value_heads: 2 }), // prettier-ignore
  },
];
const { rankShare } = sftSettingsSchema.parse({}).rotationPenalty;
const runsOf = (config: ModelConfig): PlannedRun[] => [
  { kind: 'generation', batch: 1, promptTokens: 64, newTokens: 16 },
  { kind: 'generation', batch: 32, promptTokens: 128, newTokens: 16 },
  { kind: 'training', batch: 1, promptTokens: 64, answerTokens: 16 },
  { kind: 'training', batch: 4, promptTokens: 96, answerTokens: 32 },
  { ...{ kind: 'training', batch: 4, promptTokens: 96, answerTokens: 32 }, penalty: rotationPenaltyBytes(config, rankShare) }, // prettier-ignore
  { ...{ kind: 'training', batch: 4, promptTokens: 96, answerTokens: 32 }, rl: { frozen: 0, anchored: false } },
  { ...{ kind: 'training', batch: 4, promptTokens: 96, answerTokens: 32 }, rl: { frozen: 1, anchored: true } },
  { ...{ kind: 'training', batch: 8, promptTokens: 96, answerTokens: 128 }, rl: { frozen: 1, anchored: true } },
];

const tokenizerFolder = new URL('../fixtures/tiny-qwen2/', import.meta.url).pathname;
const chunkElements = 2 ** 20;

/** One bfloat16 file: norms 1, biases 0, matrices random as transformers initialises them (deviation 0.02). */
async function writeCheckpoint(folder: string, config: ModelConfig): Promise<void> {
  const header: Record<string, unknown> = {};
  let end = 0;
  const weights = weightCatalogue(config).map(({ name, shape, role }) => {
    const elements = shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: 'BF16', shape, data_offsets: [end, (end += 2 * elements)] };
    return { elements, role };
  });
  // The same million numbers over and over: their values do not matter to time and memory
  const noise = Uint16Array.from(new Philox('weights').gaussians(chunkElements), (value) => bfloat16(0.02 * value));
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = await open(join(folder, 'model.safetensors'), 'wx');
  try {
    await file.writeFile(Buffer.concat([length, json]));
    for (const { elements, role } of weights) {
      const values = role === 'norm' || role === 'bias' ? new Uint16Array(elements).fill(role === 'norm' ? 0x3f80 : 0) : noise; // prettier-ignore
      for (let done = 0; done < elements; done += values.length) {
        await file.writeFile(new Uint8Array(values.buffer, 0, 2 * Math.min(values.length, elements - done)));
      }
    }
  } finally {
    await file.close();
  }
  await writeFile(join(folder, 'config.json'), JSON.stringify(toHuggingFaceConfig(config)));
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'])
    await copyFile(join(tokenizerFolder, name), join(folder, name));
}

const bfloat16 = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16;

async function runInProcess(folder: string, threads: number, run: ModelRun): Promise<ModelRunResult> {
  const script = new URL('./modelRun.ts', import.meta.url).pathname;
  const args = [script, folder, String(threads), JSON.stringify(run)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (text: Buffer) => (printed += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`The run ended with ${code}.`);
  return JSON.parse(printed.trim().split('\n').at(-1)!) as ModelRunResult;
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function labelOf({ rl, penalty }: PlannedTraining): string {
  if (rl) return rl.anchored ? 'RL update with an anchor' : 'RL update';
  return penalty ? 'SFT step with a rotation penalty' : 'SFT step';
}

async function measure(folder: string, config: ModelConfig, threads: number, run: PlannedRun): Promise<void> {
  const what =
    run.kind === 'generation'
      ? `${run.batch} x (${run.promptTokens} + ${run.newTokens} generated)`
      : `${labelOf(run)} on ${run.batch} x (${run.promptTokens} + ${run.answerTokens})`;
  try {
    const estimate = requireMemory(config, run, freemem());
    const measured = await runInProcess(folder, threads, run);
    const bare = 4 * parameterCount(config);
    console.log(`  ${what}`);
    console.log(`    loaded in ${seconds(measured.loadMs)}; peak ${gigabytes(measured.loadPeakBytes - measured.startBytes)} for ${gigabytes(bare)} of float32 weights`); // prettier-ignore
    console.log(`    first ${seconds(measured.firstMs)} (with compiling), second ${seconds(measured.secondMs)}${measured.losses ? `; losses ${measured.losses.map((loss) => loss.toFixed(3)).join(', ')}` : ''}`); // prettier-ignore
    console.log(`    peak ${gigabytes(measured.peakBytes)}, estimated ${gigabytes(estimate.total)}: ${(estimate.total / measured.peakBytes).toFixed(2)}x`); // prettier-ignore
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    console.log(`  ${what}: ${error.message} ${error.hint ?? ''}`);
  }
}

async function measureDrift(folder: string, config: ModelConfig, threads: number): Promise<void> {
  const { firstMs, secondMs, peakBytes, loadPeakBytes } = await runInProcess(folder, threads, { kind: 'drift' });
  console.log('  stable rank and rotation by layer');
  console.log(`    first ${seconds(firstMs)} (with the start's), then ${seconds(secondMs)} a checkpoint`);
  console.log(`    peak ${gigabytes(peakBytes)}, ${gigabytes(peakBytes - loadPeakBytes)} over loading; ${gigabytes(driftBytes(config, threads))} estimated`); // prettier-ignore
}

export async function run(): Promise<void> {
  const { values } = parseArgs({ args: process.argv.slice(3), options: { threads: { type: 'string' } } });
  const threads = Number(values.threads ?? cpus().length);
  for (const { name, config } of shapes) {
    const folder = await mkdtemp(join(tmpdir(), 'rotascope-half-billion-'));
    try {
      await writeCheckpoint(folder, config);
      console.log(`${name}: ${parameterCount(config).toLocaleString('en')} parameters, ${threads} threads`);
      for (const one of runsOf(config)) await measure(folder, config, threads, one);
      await measureDrift(folder, config, threads);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
