/**
 * Entry of a short process: tries a GPU that is new here, opens the backend, prints its status as one JSON line, ends. What
 * fails is the last line of its error output, as JSON.
 */
import { openCompute } from '../compute/compute.ts';
import { tryGpuOnce } from '../compute/gpuChoice.ts';
import { toErrorShape } from '../contract/errors.ts';

try {
  await tryGpuOnce();
  const { status } = await openCompute();
  process.stdout.write(`${JSON.stringify(status)}\n`);
  // TensorFlow's threads may keep the process alive.
  process.exit(0);
} catch (error) {
  const { message, hint } = toErrorShape(error);
  process.stderr.write(`${JSON.stringify({ message, hint })}\n`);
  process.exit(1);
}
