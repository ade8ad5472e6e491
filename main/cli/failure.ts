/** How a command says that it failed: the fact, the next step, and a line of JSON where that was asked for. */
import { toErrorShape } from '../contract/errors.ts';
import { exitCodes } from './exitCodes.ts';

export function printFailure(error: unknown, json: boolean): void {
  const shape = toErrorShape(error);
  if (json) console.log(JSON.stringify({ type: 'error', error: shape }));
  console.error(shape.hint ? `${shape.message}\n${shape.hint}` : shape.message);
  if (shape.code === 'INTERNAL' && shape.cause) console.error(shape.cause);
}

/** Runs a command's work and ends the process with its exit code. */
export async function endWith(json: boolean, work: () => Promise<number>): Promise<never> {
  let code: number;
  try {
    code = await work();
  } catch (error) {
    printFailure(error, json);
    code = toErrorShape(error).code === 'INVALID_REQUEST' ? exitCodes.usage : exitCodes.failed;
  }
  // What is printed to a pipe may still be on its way.
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))));
  process.exit(code);
}
