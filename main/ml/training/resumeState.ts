/**
 * Everything that a run needs to go on bit for bit: all variables of its session (weights, optimizer moments, value
 * head) and its counters. Random numbers need no state, they are keyed by seed, stage and step.
 */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../contract/errors.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import { openSafetensors } from '../safetensors/reader.ts';
import { writeSafetensors } from '../safetensors/writer.ts';

export type Stage = 'pretrain' | 'sft' | 'ppo';

interface StoredState {
  version: 1;
  stage: Stage;
  /** What has to be equal for the run to be the same run: settings, seed, model. */
  request: unknown;
  backend: string;
  counters: Record<string, number>;
  /** The tensors of this state; a file of its own, so that one rename switches from the old state to the new one. */
  tensorsFile: string;
}

const stateFile = 'state.json';

/**
 * Replaces the state in `folder` as a whole: a crash at any moment leaves the old state or the new one.
 * @param request compared on loading
 */
export async function saveResumeState(
  folder: string,
  model: LanguageModel,
  state: { stage: Stage; request: unknown; counters: Record<string, number> },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const previous = await readState(folder);
  const tensors = new Map<string, { shape: number[]; data: Float32Array }>();
  for (const name of model.session.names()) {
    const data = await model.session.read(name);
    tensors.set(name, { shape: [data.length], data });
  }
  const tensorsFile =
    previous?.tensorsFile === 'tensors-a.safetensors' ? 'tensors-b.safetensors' : 'tensors-a.safetensors';
  await rm(path.join(folder, tensorsFile), { force: true });
  await writeSafetensors(path.join(folder, tensorsFile), tensors);
  const stored: StoredState = { version: 1, backend: model.compute.backend, tensorsFile, ...state };
  const partial = path.join(folder, `${stateFile}.partial`);
  await rm(partial, { force: true });
  await writeSynced(partial, JSON.stringify(stored));
  await rename(partial, path.join(folder, stateFile));
  await syncFolder(folder);
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readState(folder: string): Promise<StoredState | null> {
  try {
    return JSON.parse(await readFile(path.join(folder, stateFile), 'utf8')) as StoredState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new AppError('CHECKPOINT_INVALID', `The resume state in ${folder} cannot be read.`, {
      hint: 'Delete that folder to start the run from its beginning.',
      cause: error,
    });
  }
}

/** Whether `folder` holds a state to go on from. */
export async function hasResumeState(folder: string): Promise<boolean> {
  return (await readState(folder)) !== null;
}

/**
 * Writes the stored variables into the model's session, which has to hold the same ones.
 * @returns the counters
 * @throws NOT_FOUND no state there
 * @throws CONFLICT the state is of another run: another stage, seed, settings or model
 * @throws BACKEND_CHANGED it was computed on another backend, whose bits differ
 */
export async function loadResumeState(
  folder: string,
  model: LanguageModel,
  expected: { stage: Stage; request: unknown },
): Promise<Record<string, number>> {
  const stored = await readState(folder);
  if (stored === null) throw new AppError('NOT_FOUND', `There is no resume state in ${folder}.`);
  const same = stored.stage === expected.stage && JSON.stringify(stored.request) === JSON.stringify(expected.request);
  if (!same) {
    throw new AppError('CONFLICT', `The resume state in ${folder} belongs to another run.`, {
      hint: 'Resume with the settings and the seed that the run was started with.',
    });
  }
  if (stored.backend !== model.compute.backend) {
    throw new AppError(
      'BACKEND_CHANGED',
      `The run was computed on ${stored.backend}, not on ${model.compute.backend}.`,
      {
        hint: `Resume it on ${stored.backend}, or start it again.`,
      },
    );
  }
  const file = await openSafetensors(path.join(folder, stored.tensorsFile));
  try {
    for (const name of model.session.names()) await model.session.write(name, await file.read(name));
  } finally {
    await file.close();
  }
  return stored.counters;
}
