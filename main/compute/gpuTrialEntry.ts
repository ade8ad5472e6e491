/** The process of the GPU's trial: exit code 0 when the self-test passes on the GPU, else what failed, and 1. */
import { openCompute } from './compute.ts';
import { runSelfTest } from './selfTest.ts';

const compute = await openCompute({ backend: 'tensorflow' });
const { checks } = await runSelfTest(compute);
const failed = checks.filter(({ passed }) => !passed).map(({ name, figure }) => `${name}: ${figure}`);
if (compute.provenance['device'] !== 'gpu') failed.push('TensorFlow found no GPU');
console.log(failed.join('; '));
process.exitCode = failed.length > 0 ? 1 : 0;
