/**
 * Entry of a short process: tries a GPU that is new here, opens the backend, measures it, prints its status as one JSON
 * line, ends. What fails is the last line of its error output, as JSON.
 */
import { openCompute } from '../compute/compute.ts';
import { tryGpuOnce } from '../compute/gpuChoice.ts';
import { productRate } from '../compute/stepRate.ts';
import { toErrorShape } from '../contract/errors.ts';
import { physicalCores } from './physicalCores.ts';

try {
  await tryGpuOnce();
  // As jobs on checkpoints compute: with all cores
  const compute = await openCompute({ threads: physicalCores() });
  const productsPerSecond = await productRate(compute);
  process.stdout.write(`${JSON.stringify({ ...compute.status, productsPerSecond })}\n`);
  // TensorFlow's threads may keep the process alive.
  process.exit(0);
} catch (error) {
  const { message, hint } = toErrorShape(error);
  process.stderr.write(`${JSON.stringify({ message, hint })}\n`);
  process.exit(1);
}
