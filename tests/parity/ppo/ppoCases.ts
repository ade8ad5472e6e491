/** The PPO cases of the fixtures. */
import { type FixtureTensor, readJson, readTensors } from '../fixtures.ts';

export interface LossCase {
  prefix: string;
  inputs: string;
  mask: string;
  clip: number;
  value_clip: number;
  vf_coef: number;
  ent_coef: number;
  policy_loss: number;
  clip_fraction: number;
  value_loss_unclipped: number;
  value_loss: number;
  entropy: number;
  approx_kl_k1: number;
  approx_kl_k2: number;
  approx_kl_k3: number;
  total_loss: number;
}

export interface PpoCases {
  tolerance: { f64_implementation: number; f32_implementation: { rtol: number; atol: number } };
  gae: { prefix: string; inputs: string; gamma: number; lam: number; shape: [number, number] }[];
  losses: LossCase[];
}

export const readPpoCases = (): PpoCases => readJson('ppo', 'cases.json');
export const readPpoArrays = (): Map<string, FixtureTensor> => readTensors('ppo', 'arrays.safetensors');
