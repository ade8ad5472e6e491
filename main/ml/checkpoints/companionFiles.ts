/** The small files beside the weights of a Hugging Face folder that go with a copy: text, never code. */
import { createHash } from 'node:crypto';
import { copyFile, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckpointConfig } from './configFile.ts';
import { configName } from './configFile.ts';
import { fileOfFolder } from './folderFiles.ts';
import type { CheckpointPlace } from './locateCheckpoint.ts';

const companionNames = [
  configName,
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'tokenizer.model',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'chat_template.json',
  'chat_template.jinja',
  'preprocessor_config.json',
  'processor_config.json',
];

/** Copies those that are there; links are followed into copies. @returns their names */
export async function copyCompanions({ root, ownsFolder }: CheckpointPlace, to: string): Promise<string[]> {
  if (!ownsFolder) return [];
  const copied: string[] = [];
  for (const name of companionNames) {
    const path = await fileOfFolder(root, name);
    if (path === null) continue;
    await copyFile(path, join(to, name));
    copied.push(name);
  }
  return copied;
}

/** SHA-256 over the companions that are there: what a model is, beside its weights, and how it is spoken to. */
export async function companionDigest({ root, ownsFolder }: CheckpointPlace): Promise<string> {
  const hash = createHash('sha256');
  for (const name of ownsFolder ? companionNames : []) {
    const path = await fileOfFolder(root, name);
    if (path === null) continue;
    const bytes = await readFile(path);
    hash.update(`${name} ${bytes.length} `).update(bytes);
  }
  return hash.digest('hex');
}

/** The configuration of weights that are all F32 now. */
export function float32Config(config: CheckpointConfig): object {
  const widened = Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      if (key === 'torch_dtype' || key === 'dtype') return [key, 'float32'];
      const nested = key.endsWith('_config') && typeof value === 'object' && value !== null;
      return [key, nested ? float32Config(value as CheckpointConfig) : value];
    }),
  );
  return 'dtype' in widened || 'torch_dtype' in widened ? widened : { ...widened, torch_dtype: 'float32' };
}

/** The index of shards whose tensors have another size now. */
export function resizedIndex(text: string, bytes: number): string {
  const index = JSON.parse(text) as { metadata?: Record<string, unknown> };
  index.metadata = { ...index.metadata, total_size: bytes };
  return `${JSON.stringify(index, null, 2)}\n`;
}

/** Replaces or creates a text file, flushed. */
export async function writeText(path: string, text: string): Promise<void> {
  // A copy of a file that is read-only is read-only too.
  await rm(path, { force: true });
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
