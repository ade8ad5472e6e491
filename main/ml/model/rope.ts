/**
 * Inverse frequencies of rotary positions, in float32 like the reference implementations, with Llama 3's scaling of long
 * wavelengths (transformers `rope_type: llama3`): wavelengths above the original context are divided by `factor`, those
 * below `original / highFreqFactor` are kept, and those between go smoothly from one to the other.
 */
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import type { ModelConfig } from './modelConfig.ts';

export interface Llama3RopeScaling {
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  originalMaxPositionEmbeddings: number;
}

const positive = z.number().positive();
const llama3Schema = z.looseObject({
  factor: positive,
  low_freq_factor: positive,
  high_freq_factor: positive,
  original_max_position_embeddings: positive,
});

/** The rope fields of `config.json`: `rope_parameters` (transformers 5), or `rope_theta` and `rope_scaling`. */
export const ropeFields = {
  rope_theta: positive.nullish(),
  rope_scaling: z.looseObject({ rope_type: z.string().optional(), type: z.string().optional() }).nullish(),
  rope_parameters: z.looseObject({ rope_theta: positive.optional(), rope_type: z.string().optional() }).nullish(),
};

/**
 * @throws CHECKPOINT_UNSUPPORTED a kind of scaling other than llama3, by name
 * @throws CHECKPOINT_INVALID a number of the scaling is missing
 */
export function parseRope(
  raw: z.infer<z.ZodObject<typeof ropeFields>>,
  unsupported: (message: string) => AppError,
): Pick<ModelConfig, 'ropeTheta' | 'ropeScaling'> {
  const scaling = raw.rope_parameters?.rope_type === undefined ? raw.rope_scaling : raw.rope_parameters;
  const kind = scaling?.rope_type ?? (scaling as { type?: string } | null | undefined)?.type ?? 'default';
  const ropeTheta = raw.rope_parameters?.rope_theta ?? raw.rope_theta ?? 10000;
  if (kind === 'default') return { ropeTheta, ropeScaling: null };
  if (kind !== 'llama3') throw unsupported(`RoPE scaling of type "${kind}" is not supported.`);
  const parsed = llama3Schema.safeParse(scaling);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const message = `config.json: llama3 RoPE scaling: ${issue.path.join('.')}: ${issue.message}.`;
    throw new AppError('CHECKPOINT_INVALID', message, {
      hint: 'Take config.json from the same checkpoint as the weights.',
    });
  }
  const ropeScaling: Llama3RopeScaling = {
    factor: parsed.data.factor,
    lowFreqFactor: parsed.data.low_freq_factor,
    highFreqFactor: parsed.data.high_freq_factor,
    originalMaxPositionEmbeddings: parsed.data.original_max_position_embeddings,
  };
  return { ropeTheta, ropeScaling };
}

/** The rope fields of `config.json`, in both layouts. */
export function writeRope({ ropeTheta, ropeScaling }: ModelConfig): Record<string, unknown> {
  if (ropeScaling === null) {
    const parameters = { rope_theta: ropeTheta, rope_type: 'default' };
    return { rope_theta: ropeTheta, rope_scaling: null, rope_parameters: parameters };
  }
  const scaling = {
    factor: ropeScaling.factor,
    low_freq_factor: ropeScaling.lowFreqFactor,
    high_freq_factor: ropeScaling.highFreqFactor,
    original_max_position_embeddings: ropeScaling.originalMaxPositionEmbeddings,
    rope_type: 'llama3',
  };
  return { rope_theta: ropeTheta, rope_scaling: scaling, rope_parameters: { ...scaling, rope_theta: ropeTheta } };
}

/** @returns [headDim / 2], float32 values */
export function inverseFrequencies(config: ModelConfig): Float32Array {
  const { headDim, ropeTheta, ropeScaling } = config;
  const frequencies = new Float32Array(headDim / 2);
  for (let i = 0; i < frequencies.length; i++) {
    // torch rounds the exponent too
    const plain = Math.fround(1 / Math.fround(ropeTheta ** Math.fround((2 * i) / headDim)));
    frequencies[i] = ropeScaling === null ? plain : scaled(plain, ropeScaling);
  }
  return frequencies;
}

function scaled(frequency: number, scaling: Llama3RopeScaling): number {
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings: original } = scaling;
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength > original / lowFreqFactor) return frequency / factor;
  if (wavelength < original / highFreqFactor) return frequency;
  const smooth = (original / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}
