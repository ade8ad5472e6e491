/** `config.json` of a checkpoint: read within limits; only what names the architecture is checked here. */
import { z } from 'zod';
import { parseStrictJson, JsonFault } from '../safetensors/jsonReader.ts';
import { fileOfFolder, readTextFile } from './folderFiles.ts';
import { importFault } from './importCodes.ts';

export const configName = 'config.json';
/** The largest ones (label maps of classifiers) have some 100 kB. */
const maxConfigBytes = 4 * 1024 * 1024;

const shortText = z.string().max(200);
const schema = z.looseObject({
  architectures: z.array(shortText).max(16).nullish(),
  model_type: shortText.nullish(),
});
export type CheckpointConfig = z.infer<typeof schema>;

/**
 * @param root real path of the folder
 * @returns null when there is none
 * @throws CHECKPOINT_INVALID bad_config
 */
export async function readConfig(root: string): Promise<CheckpointConfig | null> {
  const path = await fileOfFolder(root, configName);
  if (path === null) return null;
  const text = await readTextFile(path, configName, maxConfigBytes, 'bad_config');
  let json: unknown;
  try {
    json = parseStrictJson(text);
  } catch (error) {
    if (error instanceof JsonFault) throw importFault('bad_config', configName, error.message);
    throw error;
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw importFault('bad_config', configName, `${issue.path.join('.') || 'the file'}: ${issue.message}`);
}

/** "LlamaForCausalLM", "llama"; 'unknown' without a configuration. */
export function architectureOf(config: CheckpointConfig | null): { architecture: string; modelType: string } {
  const modelType = config?.model_type ?? 'unknown';
  return { architecture: config?.architectures?.[0] ?? modelType, modelType };
}
