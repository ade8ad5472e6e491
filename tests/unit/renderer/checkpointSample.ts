import type { Checkpoint } from '../../../main/contract/api.ts';

/** An imported checkpoint of no run, named after its id. */
export const checkpointSample = (id: string, more: Partial<Checkpoint> = {}): Checkpoint => ({
  id,
  name: id,
  folder: `/models/${id}`,
  architecture: 'LlamaForCausalLM',
  modelType: 'llama',
  parameters: 1,
  bytes: 1,
  dtypes: ['F32'],
  files: 1,
  tensors: 1,
  headerHash: id,
  hasTokenizer: true,
  studyId: null,
  seed: null,
  step: null,
  importedAtMs: 0,
  missing: false,
  contentHash: null,
  nonFiniteTensors: null,
  trajectory: null,
  referenceId: null,
  parentId: null,
  copied: false,
  ...more,
});
