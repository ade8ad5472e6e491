/** The decoder families that can be built. Another one is a file in `families/` and its line here. */
import { AppError } from '../../contract/errors.ts';
import type { ModelFamily, WeightNames } from './families/family.ts';
import { llama } from './families/llama.ts';
import { mllama } from './families/mllama.ts';
import { qwen2 } from './families/qwen2.ts';
import { qwen3 } from './families/qwen3.ts';
import type { ModelConfig } from './modelConfig.ts';

export const families: readonly ModelFamily[] = [llama, qwen2, qwen3, mllama];

const hint = `These can be used: ${families.map(({ label, architecture }) => `${label} (${architecture})`).join(', ')}.`;

export const unsupported = (message: string): AppError => new AppError('CHECKPOINT_UNSUPPORTED', message, { hint });

export function familyOf({ modelType }: Pick<ModelConfig, 'modelType'>): ModelFamily {
  const family = families.find((one) => one.modelType === modelType);
  if (family === undefined) throw unsupported(`The model type ${modelType} is not supported.`);
  return family;
}

/** The names of the weights around the layers. */
export function weightNames(config: Pick<ModelConfig, 'modelType' | 'naming'>): WeightNames {
  const { names, label } = familyOf(config);
  const found = names[config.naming];
  if (found === undefined) throw new AppError('INTERNAL', `${label} has no naming scheme "${config.naming}".`);
  return found;
}

/**
 * The family that `config.json` names.
 * @throws CHECKPOINT_UNSUPPORTED another architecture; CHECKPOINT_INVALID none is named
 */
export function findFamily(json: unknown): ModelFamily {
  const fields = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  const architectures = Array.isArray(fields['architectures']) ? fields['architectures'].map(String) : [];
  const [named] = architectures;
  const family = families.find(({ architecture, modelType }) => {
    return named === undefined ? modelType === fields['model_type'] : architecture === named;
  });
  if (family !== undefined) return family;
  const name = named ?? (typeof fields['model_type'] === 'string' ? fields['model_type'] : undefined);
  if (name !== undefined) throw unsupported(`The architecture ${name} is not supported yet.`);
  throw new AppError('CHECKPOINT_INVALID', 'config.json names no architecture.', {
    hint: 'config.json needs "architectures" or "model_type".',
  });
}
