/** Entry of a short process: opens the backend, prints its status as one JSON line, ends. */
import { openCompute } from '../compute/compute.ts';

const { status } = await openCompute();
process.stdout.write(`${JSON.stringify(status)}\n`);
// TensorFlow's threads may keep the process alive.
process.exit(0);
