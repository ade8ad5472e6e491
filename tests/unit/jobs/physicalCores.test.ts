import { expect, test } from 'vitest';
import { countPhysicalCores, physicalCores } from '../../../main/jobs/physicalCores.ts';

const processor = (id: number, socket: number, core: number): string =>
  `processor\t: ${id}\nphysical id\t: ${socket}\nsiblings\t: 4\ncore id\t\t: ${core}\n`;

test('hyperthreads share a core, sockets do not', () => {
  const twoCoresFourThreads = [processor(0, 0, 0), processor(1, 0, 1), processor(2, 0, 0), processor(3, 0, 1)];
  expect(countPhysicalCores(twoCoresFourThreads.join('\n'))).toBe(2);
  const twoSockets = [processor(0, 0, 0), processor(1, 1, 0), processor(2, 0, 0), processor(3, 1, 0)];
  expect(countPhysicalCores(twoSockets.join('\n'))).toBe(2);
});

test('a machine that does not say (ARM) gives no number', () => {
  expect(countPhysicalCores('processor\t: 0\nBogoMIPS\t: 50.00\n\nprocessor\t: 1\nBogoMIPS\t: 50.00\n')).toBe(null);
});

test('here there is at least one', () => {
  expect(physicalCores()).toBeGreaterThanOrEqual(1);
});
