/**
 * Tests by folder. `unit` in threads' worth of seconds; `parity` and `import` read their cases from a folder of fixtures
 * (`tests/fixtures`, another by ROTASCOPE_FIXTURES); `integration` runs real processes; `e2e` a real browser and window.
 * Processes, not threads: the native libraries hold state per process, and a crash must not take the others along.
 */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const project = (name: string, testTimeoutMs: number, more: object = {}) => ({
  test: {
    name,
    include: [`tests/${name}/**/*.test.ts`],
    environment: 'node',
    pool: 'forks' as const,
    testTimeout: testTimeoutMs,
    hookTimeout: Math.max(60_000, testTimeoutMs),
    ...more,
  },
});

export default defineConfig({
  test: {
    maxWorkers: Math.min(4, Math.max(1, availableParallelism())),
    env: {
      // Silences TensorFlow's greeting, not its errors.
      TF_CPP_MIN_LOG_LEVEL: '2',
    },
    projects: [
      project('unit', 20_000),
      project('parity', 120_000),
      project('import', 60_000),
      project('integration', 180_000),
      // One window at a time: they share the display and measure what they see.
      project('e2e', 180_000, { fileParallelism: false }),
    ],
  },
});
