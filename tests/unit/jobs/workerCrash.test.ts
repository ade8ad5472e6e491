import { expect, test } from 'vitest';
import { crashError } from '../../../main/jobs/workerCrash.ts';

const end = { code: null, signal: null, error: null };

test('a signal, an exit code and a start that failed are named', () => {
  expect(crashError({ ...end, signal: 'SIGKILL' }, ['step 3'])).toMatchObject({
    code: 'WORKER_CRASHED',
    message: expect.stringContaining('SIGKILL') as string,
    details: { signal: 'SIGKILL', lastLogLines: ['step 3'] },
  });
  expect(crashError({ ...end, code: 134 }, []).message).toContain('code 134');
  expect(crashError({ ...end, error: new Error('spawn ENOENT') }, []).message).toContain('spawn ENOENT');
});

test('a full disk and full memory have codes of their own', () => {
  expect(crashError({ ...end, code: 1 }, ['Error: ENOSPC: no space left on device, write']).code).toBe('DISK_FULL');
  const heap = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory';
  expect(crashError({ ...end, signal: 'SIGABRT' }, [heap, ' 1: 0xb7 node::Abort()']).code).toBe('OUT_OF_MEMORY');
});
