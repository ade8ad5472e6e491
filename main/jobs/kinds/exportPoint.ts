/**
 * A point of a sweep as a Hugging Face folder: the target's files, byte for byte but for the edited tensors, streamed so that
 * no model is held; a model card with the recipe and what rounding to the stored type took back of the edit.
 *
 * Everything goes to `<folder>.partial` and gets its name last. A shard that is whole is not written again by a later
 * attempt at the same recipe (`exportFolder.ts`).
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Precision } from '../../contract/spectral.ts';
import { exportPointRequestSchema, matrixEditRecordSchema } from '../../contract/sweeps.ts';
import type { ExportPointRequest, ExportReport } from '../../contract/sweeps.ts';
import { copyCompanions, float32Config, resizedIndex } from '../../ml/checkpoints/companionFiles.ts';
import { copyShard, writtenBytes, type TensorChange } from '../../ml/checkpoints/copyShard.ts';
import { fileOfFolder } from '../../ml/checkpoints/folderFiles.ts';
import type { Checkpoint, CheckpointTensor } from '../../ml/checkpoints/openCheckpoint.ts';
import { modelRecord } from '../../ml/reversion/editMatrix.ts';
import { PointEditor } from '../../ml/reversion/editPoint.ts';
import { modelCard, roundingReport, type ExportRecipe } from '../../ml/reversion/modelCard.ts';
import { readElements } from '../../ml/reversion/pathRecord.ts';
import { Decomposer } from '../../ml/spectral/decomposer.ts';
import { DecompositionCache } from '../../ml/spectral/decompositionCache.ts';
import { frobeniusNorm, linearAlgebraBackend } from '../../ml/spectral/linearAlgebra.ts';
import type { JobContext, JobRequestFile } from '../jobContext.ts';
import { ExportFolder } from './exportFolder.ts';
import { SweepCheckpoints, type OpenPair } from './sweepCheckpoints.ts';
import { progressReporter } from './trainingProgress.ts';

const weightsName = 'model.safetensors';
/** Share of the free memory for decompositions; one matrix is edited at a time. */
const memoryShare = 0.25;

/** What a shard that is whole has left. */
const shardFactsSchema = z.object({
  roundings: z.array(
    z.object({ weight: z.string(), dtype: z.string(), roundingNorm: z.number(), changeNorm: z.number() }),
  ),
  records: z.array(z.object({ record: matrixEditRecordSchema, size: z.number() })),
});
type ShardFacts = z.infer<typeof shardFactsSchema>;

export async function kind(context: JobContext): Promise<ExportReport> {
  const request = exportPointRequestSchema.parse(context.request);
  const checkpoints = new SweepCheckpoints();
  try {
    const pair = await checkpoints.pair(request.pair, request.settings);
    const recipe = recipeOf(context, request, await checkpoints.content(pair));
    const folder = await ExportFolder.open(request.outputFolder, hashOf(recipe));
    const report = folder.finished ?? (await write(context, request, pair, recipe, folder));
    context.emit({ type: 'artifact', kind: 'export', path: report.folder, data: report });
    return report;
  } finally {
    await checkpoints.close();
  }
}

function recipeOf(
  { folder }: JobContext,
  { pair, point, settings, dtype }: ExportPointRequest,
  content: { target: string; reference: string },
): ExportRecipe {
  const { versions } = JSON.parse(readFileSync(join(folder, 'request.json'), 'utf8')) as JobRequestFile;
  const named = ({ name, step }: { name: string; step: number | null }, contentHash: string) => ({
    name,
    step,
    contentHash,
  });
  return {
    format: 'rotascope-export',
    version: 1,
    pair: {
      label: pair.label,
      target: named(pair.target, content.target),
      reference: named(pair.reference, content.reference),
    },
    point,
    settings,
    dtype,
    versions: { ...versions, linearAlgebra: linearAlgebraBackend() },
  };
}

const hashOf = (recipe: ExportRecipe): string => createHash('sha256').update(JSON.stringify(recipe)).digest('hex');

async function write(
  context: JobContext,
  request: ExportPointRequest,
  pair: OpenPair,
  recipe: ExportRecipe,
  folder: ExportFolder,
): Promise<ExportReport> {
  const source = request.point.own === 'reference' ? pair.referenceCheckpoint : pair.targetCheckpoint;
  const bytes = [...source.tensors.values()].reduce((sum, tensor) => sum + writtenBytes(tensor, request.dtype), 0);
  await folder.requireSpace(bytes);
  const facts = await writeShards(context, request, pair, source, folder);
  await writeCompanions(source, request.dtype, bytes, folder);
  const report = roundingReport(facts.flatMap(({ roundings }) => roundings));
  const record = modelRecord(facts.flatMap(({ records }) => records));
  return folder.finish(report, (counted) => modelCard(recipe, counted, record));
}

async function writeShards(
  context: JobContext,
  request: ExportPointRequest,
  pair: OpenPair,
  source: Checkpoint,
  folder: ExportFolder,
): Promise<ShardFacts[]> {
  const { place, files, bytes: totalBytes } = source;
  const changes = new PointChanges(context, request, pair, request.settings.precision);
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
  const report = progressReporter(context, totalBytes, (done) => `${megabytes(done)} of ${megabytes(totalBytes)} MB`);
  let done = 0;
  const all: ShardFacts[] = [];
  for (const file of files) {
    const tensors = [...source.tensors.values()].filter((tensor) => tensor.file === file);
    const path = (await fileOfFolder(place.root, file))!;
    const facts = await folder.shard(nameOf(source, file), shardFactsSchema, async (to) => {
      const records: ShardFacts['records'] = [];
      const roundings = await copyShard(
        {
          path,
          name: file,
          tensors,
          dtype: request.dtype,
          change: (tensor) => changes.of(tensor, records),
          signal: context.signal,
          onBytes: (count) => report(Math.min((done += count), totalBytes)),
        },
        to,
      );
      return { roundings, records };
    });
    all.push(facts);
    context.emit({ type: 'resumePoint', step: all.length });
    report(all.length === files.length ? totalBytes : done);
  }
  await changes.settle();
  return all;
}

/** One file gets the name that is looked for first, whatever it was called. */
const nameOf = ({ place, files }: Checkpoint, file: string): string =>
  place.kind === 'single' && files.length === 1 ? weightsName : file;

/** What the point does to each tensor. */
class PointChanges<P extends Precision> {
  readonly #request: ExportPointRequest;
  readonly #pair: OpenPair;
  readonly #decomposer: Decomposer<P>;
  readonly #editor: PointEditor<P>;

  constructor({ signal }: JobContext, request: ExportPointRequest, pair: OpenPair, precision: P) {
    const { resources, settings } = request;
    const cache = new DecompositionCache(resources.cacheFolder, resources.cacheBudgetBytes);
    this.#request = request;
    this.#pair = pair;
    this.#decomposer = new Decomposer({ precision, cache, signal });
    this.#editor = new PointEditor(this.#decomposer, settings, memoryShare * process.availableMemory());
  }

  /** Until its decompositions are on the disk. */
  settle(): Promise<void> {
    return this.#decomposer.settle();
  }

  /** @param records gets the record of an edited matrix */
  async of(tensor: CheckpointTensor, records: ShardFacts['records']): Promise<TensorChange | null> {
    const { point } = this.#request;
    if (point.edit === 'interpolation') return this.#mixed(tensor, point.alpha!);
    const weights = this.#pair.weights.filter(({ name }) => name === tensor.name);
    let change: TensorChange | null = null;
    await this.#editor.edit(point, this.#pair, weights, (_, { weight, record }, target) => {
      records.push({ record, size: frobeniusNorm(target.weight.data) });
      if (record.changeNorm > 0) change = { values: (from, count) => weight.data.subarray(from, from + count) };
    });
    return change;
  }

  /** As `interpolateWeights` mixes, a range at a time. */
  #mixed({ name }: CheckpointTensor, alpha: number): TensorChange {
    const { referenceCheckpoint } = this.#pair;
    return {
      values: async (from, count, before) => {
        const other = await readElements(referenceCheckpoint, name, from, count);
        return before.map((w, i) => (1 - alpha) * w + alpha * other[i]!);
      },
    };
  }
}

async function writeCompanions(
  source: Checkpoint,
  dtype: ExportPointRequest['dtype'],
  bytes: number,
  folder: ExportFolder,
): Promise<void> {
  const { place, config } = source;
  await copyCompanions(place, folder.partial);
  if (dtype === 'F32' && config)
    await folder.text('config.json', `${JSON.stringify(float32Config(config), null, 2)}\n`);
  if (place.kind !== 'sharded') return;
  const text = await readFile((await fileOfFolder(place.root, place.file))!, 'utf8');
  await folder.text(`${weightsName}.index.json`, dtype === 'same' ? text : resizedIndex(text, bytes));
}
