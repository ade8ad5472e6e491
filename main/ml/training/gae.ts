/**
 * Generalised advantage estimation (Schulman et al., 2016) in float64:
 *   delta_t = r_t + gamma V_{t+1} (1 - done_t) - V_t
 *   A_t = delta_t + gamma lambda (1 - done_t) A_{t+1},  R_t = A_t + V_t
 */

export interface GaeInputs {
  /** [rows, steps], row-major, as all below */
  rewards: ArrayLike<number>;
  /** 1 where the episode ended with this step */
  dones: ArrayLike<number>;
  /** [rows, steps + 1]; the last column is the bootstrap value */
  values: ArrayLike<number>;
  rows: number;
  steps: number;
  gamma: number;
  gaeLambda: number;
}

/** @returns advantages and returns, [rows, steps] */
export function gae(inputs: GaeInputs): { advantages: Float64Array; returns: Float64Array } {
  const { rewards, dones, values, rows, steps, gamma, gaeLambda } = inputs;
  const advantages = new Float64Array(rows * steps);
  const returns = new Float64Array(rows * steps);
  for (let row = 0; row < rows; row++) {
    let next = 0;
    for (let t = steps - 1; t >= 0; t--) {
      const at = row * steps + t;
      const value = values[row * (steps + 1) + t]!;
      const nextValue = values[row * (steps + 1) + t + 1]!;
      const alive = 1 - dones[at]!;
      // A masked-out bootstrap value may be anything, NaN included: it must not be multiplied by 0.
      const delta = rewards[at]! + (alive === 0 ? 0 : gamma * nextValue * alive) - value;
      next = delta + gamma * gaeLambda * alive * next;
      advantages[at] = next;
      returns[at] = next + value;
    }
  }
  return { advantages, returns };
}
