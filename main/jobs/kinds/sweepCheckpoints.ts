/** The checkpoints of a sweep or of an export, each opened and hashed once however many pairs it is in. */
import { companionDigest } from '../../ml/checkpoints/companionFiles.ts';
import { contentHash } from '../../ml/checkpoints/tensorHash.ts';
import { type Checkpoint, openCheckpoint } from '../../ml/checkpoints/openCheckpoint.ts';
import type { WeightMap } from '../../ml/model/weights.ts';
import type { SourcePair } from '../../ml/reversion/editPoint.ts';
import type { PairContent } from '../../ml/reversion/pointContent.ts';
import { editedWeights, type EditedWeight } from '../../ml/reversion/sweepShape.ts';
import { openTensorSource, type TensorSource } from '../../ml/spectral/tensorSource.ts';
import type { SweepPair, SweepSettings } from '../../contract/sweeps.ts';

export interface OpenCheckpoint {
  source: TensorSource;
  checkpoint: Checkpoint;
}

export interface OpenPair extends SourcePair {
  targetCheckpoint: Checkpoint;
  referenceCheckpoint: Checkpoint;
  weights: EditedWeight[];
}

export class SweepCheckpoints {
  readonly #open = new Map<string, Promise<OpenCheckpoint>>();
  readonly #weights = new Map<string, Promise<WeightMap>>();
  readonly #contents = new Map<string, Promise<string>>();

  /** @throws as `openCheckpoint`; NOT_FOUND | SHAPE_MISMATCH naming the first weight that differs */
  async pair({ target, reference }: SweepPair, settings: SweepSettings): Promise<OpenPair> {
    const [t, r] = [await this.open(target.folder), await this.open(reference.folder)];
    const weights = editedWeights(t.checkpoint.tensors, r.checkpoint.tensors, settings);
    return {
      target: t.source,
      reference: r.source,
      targetCheckpoint: t.checkpoint,
      referenceCheckpoint: r.checkpoint,
      weights,
    };
  }

  open(folder: string): Promise<OpenCheckpoint> {
    return remembered(this.#open, folder, async () => {
      const checkpoint = await openCheckpoint(folder);
      return { checkpoint, source: await openTensorSource(folder) };
    });
  }

  /** Everything that makes two pairs the same pair. */
  async content(pair: OpenPair): Promise<PairContent> {
    const { target, reference, targetCheckpoint, referenceCheckpoint } = pair;
    const weights = [];
    for (const weight of pair.weights) {
      const { name } = weight;
      weights.push({ ...weight, targetHash: await target.hash(name), referenceHash: await reference.hash(name) });
    }
    return {
      target: await this.#contentOf(targetCheckpoint, target),
      reference: await this.#contentOf(referenceCheckpoint, reference),
      companions: await companionDigest(targetCheckpoint.place),
      weights,
    };
  }

  /** All weights as float32; for models that are evaluated, which are small. */
  weights(folder: string): Promise<WeightMap> {
    return remembered(this.#weights, folder, async () => (await this.open(folder)).checkpoint.readAll());
  }

  async close(): Promise<void> {
    for (const opened of await Promise.allSettled(this.#open.values()))
      if (opened.status === 'fulfilled')
        await Promise.all([opened.value.source.close(), opened.value.checkpoint.close()]);
  }

  #contentOf(checkpoint: Checkpoint, source: TensorSource): Promise<string> {
    return remembered(this.#contents, source.folder, async () => {
      const tensors = [];
      for (const name of checkpoint.tensors.keys()) tensors.push({ name, hash: await source.hash(name) });
      return contentHash(tensors);
    });
  }
}

function remembered<V>(known: Map<string, Promise<V>>, key: string, make: () => Promise<V>): Promise<V> {
  let found = known.get(key);
  if (!found) known.set(key, (found = make()));
  return found;
}
