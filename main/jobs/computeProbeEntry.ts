/** Entry of a short process: tries a GPU that is new here, opens the backend, prints its status as one JSON line, ends. */
import { openCompute } from '../compute/compute.ts';
import { tryGpuOnce } from '../compute/gpuChoice.ts';

await tryGpuOnce();
const { status } = await openCompute();
process.stdout.write(`${JSON.stringify(status)}\n`);
// TensorFlow's threads may keep the process alive.
process.exit(0);
