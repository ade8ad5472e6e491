import { expect, test } from 'vitest';
import type { ImportVerdict } from '../../../../main/contract/api.ts';
import { importTitle } from '../../../../renderer/components/importWords.ts';

const accepted = (architecture: string, bytes: number, step: number | null): ImportVerdict => ({
  ...{ path: '/x', verdict: 'accepted', code: 'accepted', text: '', warnings: [], checkpointId: null },
  summary: { architecture, parameters: 1, bytes, tensors: 1, files: 1, step },
});

test.each([
  [
    [300, 100, 200].map((step) => accepted('Qwen2ForCausalLM', 966e6, step)),
    'Import 3 checkpoints, 2.9 GB, Qwen2, steps 100-300',
  ],
  [
    [accepted('LlamaForCausalLM', 2e6, 40), accepted('LlamaForCausalLM', 2e6, null)],
    'Import 2 checkpoints, 4.0 MB, Llama, step 40',
  ],
  [
    [accepted('LlamaForCausalLM', 1e6, null), accepted('Qwen2ForCausalLM', 1e6, null)],
    'Import 2 checkpoints, 2.0 MB, Llama and Qwen2',
  ],
  [['A', 'B', 'C'].map((name) => accepted(`${name}ForCausalLM`, 1e6, null)), 'Import 3 checkpoints, 3.0 MB'],
  [[accepted('MllamaForConditionalGeneration', 1e3, 0)], 'Import 1 checkpoint, 1.0 kB, Mllama, step 0'],
])('%o: %s', (verdicts, title) => {
  expect(importTitle(verdicts)).toBe(title);
});
