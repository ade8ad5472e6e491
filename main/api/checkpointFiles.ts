/** What has become of a checkpoint's files: verified, linked to their new place, compared with another's. */
import type { Checkpoint } from '../contract/api.ts';
import { diffOutputSchema } from '../contract/catalogue.ts';
import type { CheckpointDiff, Verification } from '../contract/catalogue.ts';
import { AppError } from '../contract/errors.ts';
import { configDiff } from '../ml/checkpoints/configDiff.ts';
import { describeCheckpoint } from '../ml/checkpoints/describeCheckpoint.ts';
import { fileChanges } from '../ml/checkpoints/fileStamps.ts';
import { someNames } from '../ml/checkpoints/importCodes.ts';
import { noChange } from '../ml/checkpoints/tensorChange.ts';
import { orderHash } from './analyses.ts';
import type { EngineContext } from './context.ts';

/** @param content also read all values in a job */
export async function verify(context: EngineContext, one: Checkpoint, content: boolean): Promise<Verification> {
  const { store, catalogue } = context;
  const changes = await fileChanges(one.folder, store.checkpoints.stamps(one.id));
  const readable = changes.stamps !== null;
  // Written again with the same size: only the values can tell whether they are the same.
  const wanted = readable && one.contentHash !== null && (content || changes.rewritten);
  const jobId = wanted ? (catalogue.hash([one])?.id ?? null) : null;
  return { intact: changes.findings.length === 0, findings: changes.findings, jobId };
}

/** @throws SHAPE_MISMATCH naming what differs; CONFLICT the folder is in the list already; import faults */
export async function relink(context: EngineContext, one: Checkpoint, path: string): Promise<Checkpoint> {
  const { store, events, catalogue } = context;
  const found = await describeCheckpoint(path);
  const other = store.checkpoints.byFolder(found.folder);
  if (other && other.id !== one.id)
    throw new AppError('CONFLICT', `${found.folder} is in the list already, as "${other.name}".`, {
      hint: 'Remove one of the two.',
    });
  if (found.headerHash !== one.headerHash) throw otherCheckpoint(context, one, found);
  store.checkpoints.relocate(one.id, { folder: found.folder, stamps: found.stamps, copied: false });
  events.publish({ type: 'checkpoints' });
  const linked = store.checkpoints.get(one.id)!;
  catalogue.hash([linked]);
  return linked;
}

function otherCheckpoint(
  { store }: EngineContext,
  one: Checkpoint,
  found: Awaited<ReturnType<typeof describeCheckpoint>>,
): AppError {
  const names = new Set(found.tensorTable.map(({ name }) => name));
  const known = store.checkpoints.digests(one.id).map(({ name }) => name);
  const lacking = known.filter((name) => !names.has(name));
  const more = known.length > 0 ? [...names].filter((name) => !known.includes(name)) : [];
  const facts = [
    found.tensors === one.tensors ? '' : `${found.tensors} tensors instead of ${one.tensors}`,
    lacking.length > 0 ? `no ${someNames(lacking)}` : '',
    more.length > 0 ? `${someNames(more)} in addition` : '',
    found.parameters === one.parameters
      ? ''
      : `${found.parameters.toLocaleString('en')} parameters instead of ${one.parameters.toLocaleString('en')}`,
    found.dtypes.join() === one.dtypes.join() ? '' : `${found.dtypes.join(', ')} instead of ${one.dtypes.join(', ')}`,
    found.architecture === one.architecture ? '' : `${found.architecture} instead of ${one.architecture}`,
  ].filter((fact) => fact !== '');
  const differing = facts.length > 0 ? facts.join('; ') : 'names or shapes of its tensors differ';
  return new AppError('SHAPE_MISMATCH', `${found.folder} is another checkpoint than "${one.name}": ${differing}.`, {
    hint: 'Choose the folder that this checkpoint has moved to, or import this one beside it.',
  });
}

/** What two headers and configurations say at once; the values are compared by a job, once for the same files. */
export async function diff(context: EngineContext, a: Checkpoint, b: Checkpoint): Promise<CheckpointDiff> {
  const { store } = context;
  const [one, other] = await Promise.all([describeCheckpoint(a.folder), describeCheckpoint(b.folder)]);
  const inB = new Map(other.tensorTable.map((tensor) => [tensor.name, tensor]));
  const inA = new Set(one.tensorTable.map(({ name }) => name));
  const both = one.tensorTable.flatMap((tensor) => {
    const same = inB.get(tensor.name);
    return same ? [{ name: tensor.name, a: tensor, b: same }] : [];
  });
  const sameShape = both.filter((pair) => pair.a.shape.join() === pair.b.shape.join());
  const differing = both.filter((pair) => pair.a.dtype !== pair.b.dtype || pair.a.shape.join() !== pair.b.shape.join());
  const isComparable = new Set(sameShape.map(({ name }) => name));
  const equal = store.checkpoints.equalTensors(a.id, b.id).filter((name) => isComparable.has(name));
  const facts = {
    config: configDiff(one.config, other.config),
    onlyInA: one.tensorTable.flatMap(({ name }) => (inB.has(name) ? [] : [name])),
    onlyInB: other.tensorTable.flatMap(({ name }) => (inA.has(name) ? [] : [name])),
    differing: differing.map(({ name, a: left, b: right }) => ({
      name,
      a: { dtype: left.dtype, shape: left.shape },
      b: { dtype: right.dtype, shape: right.shape },
    })),
    comparable: sameShape.length,
    equal: equal.length,
  };
  if (equal.length === sameShape.length) return { ...facts, jobId: null, changes: equal.map(noChange) };
  const order = orderHash([a.id, b.id, one.stamps, other.stamps]);
  const known = store.analyses.findByOrder('diffCheckpoints', order)?.jobId;
  const jobId = known ?? startDiff(context, a, b, equal, order);
  const output = diffOutputSchema.safeParse(store.jobs.output(jobId));
  return { ...facts, jobId, changes: output.success ? output.data.changes : null };
}

function startDiff(context: EngineContext, a: Checkpoint, b: Checkpoint, equal: string[], order: string): string {
  const side = ({ id, name, folder }: Checkpoint): object => ({ id, name, folder });
  const request = { a: side(a), b: side(b), equal };
  const { id, createdAtMs } = context.catalogue.diff(`Compare ${a.name} with ${b.name}`, request);
  context.store.analyses.insert({ jobId: id, kind: 'diffCheckpoints', orderHash: order, createdAtMs });
  return id;
}
