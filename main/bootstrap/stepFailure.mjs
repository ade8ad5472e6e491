/** A step of the preparation that cannot go on: the fact, and what to do about it. Never thrown for a mistake of ours. */
export class StepFailure extends Error {
  /**
   * @param {string} reason one sentence: what was found
   * @param {string} nextStep one sentence: what to do
   */
  constructor(reason, nextStep) {
    super(`${reason} ${nextStep}`);
    this.name = 'StepFailure';
    this.reason = reason;
    this.nextStep = nextStep;
  }
}
