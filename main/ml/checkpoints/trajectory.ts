/** Which training run a checkpoint belongs to, and at which step, read from the names of its folders. */
import { basename, dirname } from 'node:path';
import type { CheckpointPlace } from './locateCheckpoint.ts';

export interface PlaceInRun {
  step: number;
  /** Name of the run; null when no folder names it. */
  trajectory: string | null;
  /** The checkpoint within all runs: "sft-llama/checkpoint-400"; null when its own name says the run already. */
  name: string | null;
  /** The folder that holds the run's checkpoints: what tells two runs of the same name apart. */
  runFolder: string;
}

const stepPattern = /(^|[-_.])(?:checkpoint|ckpt|(?:global_?)?step|iter)[-_]?(\d{1,9})(?=$|[-_.])/i;
/** Folders that hold the checkpoints of a run and do not name it. */
const namelessFolder = /^(checkpoints?|ckpts?|outputs?|models?|weights|snapshots)$/i;
/** verl keeps `global_step_140/actor/huggingface`. */
const maxFoldersUp = 3;

/** The training step in names such as `checkpoint-400`, `step_400`, `global_step400`, `run-step-000400`; null without one. */
export function stepOfName(name: string): number | null {
  const match = stepPattern.exec(name);
  return match === null ? null : Number(match[2]);
}

/** @returns null when neither the checkpoint nor a folder just above it is named after a step */
export function placeInRun({ location }: Pick<CheckpointPlace, 'location'>): PlaceInRun | null {
  let folder = location;
  for (let up = 0; up < maxFoldersUp; up++, folder = dirname(folder)) {
    const name = basename(folder).replace(/\.safetensors(\.index\.json)?$/, '');
    const step = stepOfName(name);
    const own = runPart(name);
    // Above the checkpoint only a folder that is nothing but a step says so: "step-3-project" is another thing.
    if (step === null || (up > 0 && own !== null)) continue;
    const trajectory = own ?? runAbove(folder);
    const isNamed = own !== null || trajectory === null;
    return { step, trajectory, name: isNamed ? null : `${trajectory}/${name}`, runFolder: dirname(folder) };
  }
  return null;
}

/** `sft-step-7` is of the run `sft`; null for `checkpoint-7`, whose run the folder above it names. */
function runPart(name: string): string | null {
  const rest = name.replace(stepPattern, '').replace(/^[-_.]+|[-_.]+$/g, '');
  return rest === '' ? null : rest;
}

function runAbove(folder: string): string | null {
  let above = dirname(folder);
  while (namelessFolder.test(basename(above))) above = dirname(above);
  return basename(above) || null;
}
