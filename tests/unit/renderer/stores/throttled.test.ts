import { describe, expect, it, vi } from 'vitest';
import { throttled } from '../../../../renderer/stores/throttled.ts';

describe('throttled', () => {
  it('runs at once, then once more for any number of calls in between, and never twice at a time', async () => {
    vi.useFakeTimers();
    let running = 0;
    let most = 0;
    let runs = 0;
    const call = throttled(async () => {
      runs += 1;
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setTimeout(resolve, 30));
      running -= 1;
    }, 100);
    for (let i = 0; i < 5; i++) call();
    expect(runs).toBe(1);
    await vi.advanceTimersByTimeAsync(10);
    for (let i = 0; i < 5; i++) call();
    await vi.advanceTimersByTimeAsync(1000);
    expect(runs).toBe(2);
    expect(most).toBe(1);
    call();
    expect(runs).toBe(3);
    await vi.advanceTimersByTimeAsync(1000);
    vi.useRealTimers();
  });
});
