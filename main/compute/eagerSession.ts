/** A session that runs every op as tfjs issues it: the only way on wasm and WebGPU, and the reference on TensorFlow. */
import { AppError } from '../contract/errors.ts';
import { checkElementCount, checkInputs, eachPiece, VariableTable } from './session.ts';
import type {
  CompiledStep,
  HostArray,
  HostTensor,
  Session,
  StepFunction,
  Tensor,
  TensorSpec,
  Tf,
  Variable,
} from './session.ts';

/** Where a device reports failures beside the ops that caused them: @throws what it has reported */
export type CheckDevice = (what: string) => void;

export function openEagerSession(tf: Tf, checkDevice: CheckDevice = () => undefined): Session {
  const variables = new VariableTable(tf);
  /** @param value is kept */
  const assign = (name: string, value: Float32Array): void => {
    const variable = variables.get(name);
    checkElementCount(`Variable "${name}"`, variable.shape, value);
    const tensor = tf.tensor(value, variable.shape, 'float32');
    variable.assign(tensor);
    tensor.dispose();
    checkDevice(`Writing "${name}"`);
  };
  const add = (name: string, kind: 'trainable' | 'fixed' | 'scratch', makeInitial: () => Tensor): Variable => {
    const variable = variables.add(name, kind, makeInitial);
    checkDevice(`Variable "${name}"`);
    return variable;
  };
  // tfjs has no variable without a value: here its memory is held as long as the session.
  const scratch = (name: string, shape: number[]): Variable => {
    return variables.find(name) ?? add(name, 'scratch', () => tf.zeros(shape));
  };
  return {
    scratch,
    release: async (names) => names.forEach((name) => void variables.get(name)),
    variable: (name, shape, value, options) => {
      if (value !== null) checkElementCount(`Variable "${name}"`, shape, value);
      // A copy: tfjs keeps the array it is given until the first use.
      const initial = (): Tensor => (value === null ? tf.zeros(shape) : tf.tensor(value.slice(), shape, 'float32'));
      return add(name, (options?.trainable ?? true) ? 'trainable' : 'fixed', initial);
    },
    async read(name) {
      return (await valuesOf(variables.get(name), `Reading "${name}"`, checkDevice)) as Float32Array;
    },
    // Asynchronous for its errors, which are rejections in both kinds of session.

    async write(name, value) {
      assign(name, value.slice());
    },
    async fill(name, pieces) {
      const whole = new Float32Array(variables.get(name).size);
      await eachPiece(name, whole.length, pieces, (values, from) => whole.set(values, from));
      assign(name, whole);
    },
    names: () => variables.names(),
    compile: (name, inputs, step) => eagerStep(tf, checkDevice, name, inputs, step),
    dispose: () => variables.dispose(),
  };
}

function eagerStep(
  tf: Tf,
  checkDevice: CheckDevice,
  name: string,
  specs: Record<string, TensorSpec>,
  step: StepFunction,
): CompiledStep {
  const what = `Step "${name}"`;
  return {
    async run(inputs) {
      checkInputs(name, specs, inputs);
      const outputs = runEagerly(tf, checkDevice, name, specs, inputs, step);
      try {
        checkDevice(what);
        const results: Record<string, HostTensor> = {};
        for (const [key, tensor] of Object.entries(outputs)) {
          results[key] = { shape: tensor.shape, data: await valuesOf(tensor, what, checkDevice) };
        }
        return results;
      } finally {
        for (const tensor of Object.values(outputs)) tensor.dispose();
      }
    },
    dispose: () => undefined,
  };
}

/** A copy of the values. @throws what the device has reported rather than what reading says of it */
async function valuesOf(tensor: Tensor, what: string, checkDevice: CheckDevice): Promise<HostArray> {
  try {
    const values = (await tensor.data<'float32' | 'int32'>()).slice();
    checkDevice(what);
    return values;
  } catch (error) {
    checkDevice(what);
    throw failed(what, error);
  }
}

function failed(what: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AppError('COMPUTE_FAILED', `${what} failed: ${message}`, { cause: error });
}

function runEagerly(
  tf: Tf,
  checkDevice: CheckDevice,
  name: string,
  specs: Record<string, TensorSpec>,
  inputs: Record<string, HostArray>,
  step: StepFunction,
): Record<string, Tensor> {
  try {
    return tf.tidy(() => {
      const tensors: Record<string, Tensor> = {};
      for (const [key, { shape, dtype }] of Object.entries(specs)) {
        // A copy: tfjs keeps the array it is given, and the caller may write into it next.
        tensors[key] = tf.tensor(inputs[key]!.slice(), shape, dtype);
      }
      // Clones: an output may be an input or a variable, which must outlive the output.
      const outputs = Object.entries(step(tensors)).map(([key, tensor]) => {
        return [key, tensor.dtype === 'bool' ? tensor.toInt() : tensor.clone()] as const;
      });
      return Object.fromEntries(outputs);
    });
  } catch (error) {
    checkDevice(`Step "${name}"`);
    throw failed(`Step "${name}"`, error);
  }
}
