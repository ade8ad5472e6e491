/** `npm run bench -- NAME`: runs one benchmark against its peer and prints ratios. */
const benchmarks: Record<string, () => Promise<{ run(): Promise<void> }>> = {
  training: () => import('./training.ts'),
  generation: () => import('./generation.ts'),
  halfBillion: () => import('./halfBillion.ts'),
  trained: () => import('./trained.ts'),
  sweep: () => import('./sweep.ts'),
  svd: () => import('./svd.ts'),
  decompose: () => import('./decompose.ts'),
  memory: () => import('./memory.ts'),
};

const benchmark = process.argv[2] ?? '';
const load = benchmarks[benchmark];
if (!load) {
  console.error(`Usage: npm run bench -- ${Object.keys(benchmarks).join(' | ')}`);
  process.exitCode = 2;
} else await (await load()).run();
process.exit();

export {};
