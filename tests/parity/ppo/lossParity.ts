/** PPO losses, their gradients, entropy, KL estimates and clip fraction in float32 against explicit float64 loops. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type Backend, type Compute, openCompute } from '../../../main/compute/compute.ts';
import type { Tensor, Tf } from '../../../main/compute/session.ts';
import { lossGradients } from '../../../main/ml/training/adamW.ts';
import {
  actionLogprobs,
  logSoftmaxRows,
  maskedMean,
  policyLoss,
  ratioStatistics,
  tokenEntropies,
  valueLoss,
} from '../../../main/ml/training/ppoLoss.ts';
import { expectClose } from '../compare.ts';
import { hasFixture, tensor } from '../fixtures.ts';
import { type LossCase, readPpoArrays, readPpoCases } from './ppoCases.ts';

export function ppoLossParity(backend: 'auto' | Backend): void {
  if (!hasFixture('ppo', 'cases.json')) {
    test.skip('ppo: absent from the fixtures');
    return;
  }
  const { losses, tolerance } = readPpoCases();
  const arrays = readPpoArrays();
  const f32 = tolerance.f32_implementation;
  let compute: Compute;
  beforeAll(async () => {
    compute = await openCompute({ backend });
  });

  const inputsOf = (tf: Tf, { inputs, mask }: LossCase) => {
    const of = (name: string): { shape: number[]; data: Float64Array } => tensor(arrays, name);
    const flat = (name: string): Tensor => tf.tensor1d(Float32Array.from(of(name).data));
    const logits = (name: string): Tensor => {
      const { shape, data } = of(name);
      return tf.tensor(Float32Array.from(data), [shape[0]! * shape[1]!, shape[2]!]);
    };
    return {
      logitsNew: logits(`${inputs}.logits_new`),
      logitsOld: logits(`${inputs}.logits_old`),
      valuesNew: flat(`${inputs}.values_new`),
      valuesOld: flat(`${inputs}.values_old`),
      returns: flat(`${inputs}.returns`),
      advantages: flat(`${inputs}.advantages`),
      actions: tf.tensor1d(Int32Array.from(of(`${inputs}.actions`).data), 'int32'),
      mask: flat(mask),
    };
  };

  /** Everything a case has a number for, from the logits and values being learnt. */
  const terms = (tf: Tf, one: LossCase, given: ReturnType<typeof inputsOf>, logits: Tensor, values: Tensor) => {
    const { mask, actions, returns, valuesOld } = given;
    const logProbabilities = logSoftmaxRows(tf, logits);
    const logratio = tf.sub(
      actionLogprobs(tf, logProbabilities, actions),
      actionLogprobs(tf, logSoftmaxRows(tf, given.logitsOld), actions),
    );
    const policy = policyLoss(tf, logratio, given.advantages, mask, one.clip);
    const value = valueLoss(tf, values, returns, mask, { oldValues: valuesOld, clipCoef: one.value_clip });
    const entropy = maskedMean(tf, tokenEntropies(tf, logProbabilities), mask);
    const total = tf.sub(tf.add(policy, tf.mul(value, one.vf_coef)), tf.mul(entropy, one.ent_coef));
    const unclipped = valueLoss(tf, values, returns, mask);
    return { policy, value, entropy, total, unclipped, ...ratioStatistics(tf, logratio, mask, one.clip) };
  };

  describe('PPO losses', () => {
    test.each(losses)('$prefix', async (one) => {
      const { tf } = compute;
      const actual = tf.tidy(() => {
        const given = inputsOf(tf, one);
        return terms(tf, one, given, given.logitsNew, given.valuesNew);
      });
      const check = async (name: string, value: Tensor, expected: number, factor = 1): Promise<void> => {
        expectClose(name, [(await value.data())[0]! * factor], [expected], f32);
      };
      await check('policy_loss', actual.policy, one.policy_loss);
      await check('value_loss', actual.value, one.value_loss);
      // The fixture has the factor 0.5 inside here too; ours is the recipe's mean((v - R)^2).
      await check('value_loss_unclipped', actual.unclipped, one.value_loss_unclipped, 0.5);
      await check('entropy', actual.entropy, one.entropy);
      await check('k1', actual.kl1, one.approx_kl_k1);
      await check('k2', actual.kl2, one.approx_kl_k2);
      await check('k3', actual.kl3, one.approx_kl_k3);
      await check('clip_fraction', actual.clipFraction, one.clip_fraction);
      await check('total_loss', actual.total, one.total_loss);
      tf.dispose(actual);
    });

    test.each(losses)('$prefix: gradients', async (one) => {
      const { tf } = compute;
      const gradients = tf.tidy(() => {
        const given = inputsOf(tf, one);
        const logits = tf.variable(given.logitsNew);
        const values = tf.variable(given.valuesNew);
        const all = lossGradients(tf, [logits, values], () => terms(tf, one, given, logits, values).total).gradients;
        tf.dispose([logits, values]);
        return all;
      });
      const expectedOf = (name: string): Float64Array => tensor(arrays, `${one.prefix}.${name}`).data;
      expectClose('grad_logits_new', await gradients[0]!.data(), expectedOf('grad_logits_new'), f32);
      expectClose('grad_values_new', await gradients[1]!.data(), expectedOf('grad_values_new'), f32);
      tf.dispose(gradients);
    });

    test('an empty mask gives 0', async () => {
      const { tf } = compute;
      const zero = tf.tidy(() => maskedMean(tf, tf.tensor1d([1, 2, 3]), tf.zeros([3])));
      expect((await zero.data())[0]).toBe(0);
      zero.dispose();
    });
  });
}
