import { describe, expect, it } from 'vitest';
import { Philox, philoxBlock } from '../../../../main/ml/random/philox.ts';

const hex = (block: Uint32Array): string => [...block].map((word) => word.toString(16).padStart(8, '0')).join(' ');

describe('Philox-4x32-10', () => {
  it('gives the known answers of the Random123 distribution', () => {
    const out = new Uint32Array(4);
    philoxBlock(Uint32Array.of(0, 0, 0, 0), 0, 0, out);
    expect(hex(out)).toBe('6627e8d5 e169c58d bc57ac4c 9b00dbd8');
    philoxBlock(Uint32Array.of(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344), 0xa4093822, 0x299f31d0, out);
    expect(hex(out)).toBe('d16cfe09 94fdcceb 5001e420 24126ea1');
    const ones = 0xffffffff;
    philoxBlock(Uint32Array.of(ones, ones, ones, ones), ones, ones, out);
    expect(hex(out)).toBe('408f276d 41c83b0e a20bc7c6 6d5451fd');
  });
  it('repeats by key and differs between keys', () => {
    const draw = (...key: (string | number)[]): string => new Philox(...key).uniforms(8).join();
    expect(draw(1, 'sft', 3)).toBe(draw(1, 'sft', 3));
    expect(new Set([draw(1, 'sft', 3), draw(1, 'sft', 4), draw(2, 'sft', 3), draw(1, 'rl', 3)]).size).toBe(4);
  });
  it('is uniform, normal and a permutation where it says so', () => {
    const random = new Philox('moments');
    const n = 100_000;
    const uniforms = random.uniforms(n);
    const mean = uniforms.reduce((sum, x) => sum + x, 0) / n;
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 / Math.sqrt(12 * n));
    expect(uniforms.every((x) => x > 0 && x < 1)).toBe(true);
    const normals = random.gaussians(n);
    expect(Math.abs(normals.reduce((sum, x) => sum + x, 0) / n)).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(normals.reduce((sum, x) => sum + x * x, 0) / n - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect([...random.permutation(500)].sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });
});
