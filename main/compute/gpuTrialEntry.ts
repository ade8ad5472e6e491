/** The process of a trial (backend, optionally "rates"): prints a `Trial` as JSON, or why there is none and exit code 1. */
import { toErrorShape } from '../contract/errors.ts';
import { type Backend, openCompute } from './compute.ts';
import type { Trial } from './gpuTrial.ts';
import { runSelfTest } from './selfTest.ts';
import { stepRates } from './stepRate.ts';
import { findGpu } from './webgpu.ts';

function end(trial: Trial): never {
  console.log(JSON.stringify(trial));
  process.exit(0);
}

const [backend, what] = process.argv.slice(2) as [Backend, 'rates'?];
try {
  const gpu = backend === 'webgpu' ? (await findGpu()).facts : null;
  if (gpu?.software) end({ failures: [], gpu, onGpu: false, rates: null });
  const compute = await openCompute({ backend });
  const { checks } = await runSelfTest(compute);
  // LAPACK is no part of the backend.
  const failed = checks.filter(({ name, passed }) => !passed && name !== 'Singular values');
  end({
    failures: failed.map(({ name, figure }) => `${name}: ${figure}`),
    gpu,
    onGpu: compute.provenance['device'] === 'gpu',
    rates: what === 'rates' && failed.length === 0 ? await stepRates(compute) : null,
  });
} catch (error) {
  const { message, hint = '' } = toErrorShape(error);
  console.log(`${message} ${hint}`.trim());
  process.exit(1);
}
