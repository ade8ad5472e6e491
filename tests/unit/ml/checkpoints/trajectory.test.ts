import { expect, it } from 'vitest';
import { placeInRun } from '../../../../main/ml/checkpoints/trajectory.ts';

const at = (location: string): unknown => {
  const place = placeInRun({ location });
  return place && [place.step, place.trajectory, place.name, place.runFolder];
};

it.each([
  ['/runs/sft-llama/checkpoint-140', [140, 'sft-llama', 'sft-llama/checkpoint-140', '/runs/sft-llama']],
  ['/runs/sft-llama/step_140', [140, 'sft-llama', 'sft-llama/step_140', '/runs/sft-llama']],
  ['/runs/rl/global_step140', [140, 'rl', 'rl/global_step140', '/runs/rl']],
  ['/runs/rl/step-000140', [140, 'rl', 'rl/step-000140', '/runs/rl']],
  // A folder between that names no run.
  ['/runs/sft/checkpoints/step_5', [5, 'sft', 'sft/step_5', '/runs/sft/checkpoints']],
  // As verl writes them.
  ['/runs/verl/global_step_140/actor/huggingface', [140, 'verl', 'verl/global_step_140', '/runs/verl']],
  // A name that says the run itself.
  ['/models/sft-step-7', [7, 'sft', null, '/models']],
  ['/models/qwen-sft-step-7-merged', [7, 'qwen-sft-merged', null, '/models']],
  // One file among several.
  ['/pile/step_20.safetensors', [20, 'pile', 'pile/step_20', '/pile']],
  ['/models/Qwen2-0.5B', null],
  ['/models/footstep-3', null],
  ['/step-3-project/models/llama', null],
])('%s', (location, expected) => expect(at(location)).toEqual(expected));
