/** References: V8's own binary16 (Math.f16round), IEEE 754 arithmetic in float64, DataView. */
import { describe, expect, it } from 'vitest';
import {
  encodeFloats,
  float16ToFloat32Bits,
  float32BitsToBfloat16,
  float32BitsToFloat16,
  widenToFloat32,
} from '../../../../main/ml/safetensors/dtypes.ts';

const view = new DataView(new ArrayBuffer(4));
function floatOf(bits: number): number {
  view.setUint32(0, bits);
  return view.getFloat32(0);
}
function bitsOf(value: number): number {
  view.setFloat32(0, value);
  return view.getUint32(0);
}
const isNan16 = (half: number): boolean => (half & 0x7fff) > 0x7c00;

/** The value that IEEE 754 gives a binary16 pattern. */
function halfValue(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
const f16round = (Math as unknown as { f16round(value: number): number }).f16round;

/** Bit patterns around everything that rounds: ties, subnormals, overflow, both signs; and a coarse sweep. */
function interestingFloats(): number[] {
  const patterns: number[] = [];
  for (let half = 0; half < 0x7c00; half += 37) {
    const here = bitsOf(halfValue(half));
    const middle = bitsOf((halfValue(half) + halfValue(half + 1)) / 2);
    patterns.push(here, here + 1, middle - 1, middle, middle + 1);
  }
  for (let pattern = 0; pattern <= 0x7f800000; pattern += 99_991) patterns.push(pattern);
  patterns.push(0, 1, 0x477fe000, 0x477fefff, 0x477ff000, 0x477ff001, 0x7f7fffff, 0x7f800000, 0x33000000, 0x33000001);
  return patterns.flatMap((bits) => [bits >>> 0, (bits | 0x80000000) >>> 0]);
}

describe('binary16', () => {
  it('widens every pattern exactly', () => {
    for (let half = 0; half < 65_536; half++) {
      const value = floatOf(float16ToFloat32Bits(half));
      if (!Object.is(value, halfValue(half))) expect.fail(`0x${half.toString(16)}: ${value}, not ${halfValue(half)}`);
    }
  });

  it('narrows back every pattern that is not NaN', () => {
    for (let half = 0; half < 65_536; half++) {
      const back = float32BitsToFloat16(float16ToFloat32Bits(half));
      if (isNan16(half) ? !isNan16(back) : back !== half)
        expect.fail(`0x${half.toString(16)} -> 0x${back.toString(16)}`);
    }
  });

  it('rounds to nearest even as V8 does', () => {
    for (const bits of interestingFloats()) {
      const found = halfValue(float32BitsToFloat16(bits));
      const expected = f16round(floatOf(bits));
      if (!Object.is(found, expected)) expect.fail(`${floatOf(bits)}: ${found}, not ${expected}`);
    }
    expect(isNan16(float32BitsToFloat16(0x7fc00000))).toBe(true);
    expect(isNan16(float32BitsToFloat16(0x7f800001))).toBe(true);
  });
});

describe('bfloat16', () => {
  it('rounds to the nearer neighbour, ties to even', () => {
    for (const bits of interestingFloats()) {
      const found = float32BitsToBfloat16(bits);
      const below = bits >>> 16;
      const rest = bits & 0xffff;
      const up = rest > 0x8000 || (rest === 0x8000 && (below & 1) === 1);
      if (found !== below + (up ? 1 : 0)) expect.fail(`0x${bits.toString(16)} -> 0x${found.toString(16)}`);
    }
  });

  it('keeps NaN a NaN when only low bits say so, and rounds the largest float to infinity', () => {
    expect(float32BitsToBfloat16(0x7f800001) & 0x7fff).toBeGreaterThan(0x7f80);
    expect(float32BitsToBfloat16(0xff800001) >>> 15).toBe(1);
    expect(float32BitsToBfloat16(0x7f7fffff)).toBe(0x7f80);
  });

  it('widens by its bits, NaN payloads included', () => {
    const halves = Uint16Array.of(0x0000, 0x8000, 0x0001, 0x3f80, 0xc000, 0x7f80, 0xff80, 0x7fc1, 0xffff);
    const wide = widenToFloat32('BF16', new Uint8Array(halves.buffer));
    expect([...new Uint32Array(wide.buffer)]).toEqual([...halves].map((half) => half * 65_536));
  });
});

describe('widenToFloat32', () => {
  it('reads float32 at any alignment, every bit kept', () => {
    const bits = Uint32Array.of(0, 0x80000000, 1, 0x3f800000, 0x7f800000, 0x7fc00001, 0xff812345);
    const shifted = new Uint8Array(bits.byteLength + 3);
    shifted.set(new Uint8Array(bits.buffer), 3);
    const wide = widenToFloat32('F32', shifted.subarray(3));
    expect(new Uint32Array(wide.buffer)).toEqual(bits);
  });

  it('rounds float64 to the nearest float32', () => {
    const doubles = Float64Array.of(0.1, -1e300, 1e-300, 1 + 2 ** -24, 1 + 3 * 2 ** -24, -0, Infinity, NaN);
    expect(widenToFloat32('F64', new Uint8Array(doubles.buffer))).toEqual(Float32Array.from(doubles, Math.fround));
  });

  it('gives back what encodeFloats wrote, a slice of a larger array included', () => {
    const values = new Float32Array([9, 1.5, -0, 65_504, 2 ** -24, Infinity, 9]).subarray(1, 6);
    for (const dtype of ['F32', 'F16'] as const) {
      const back = widenToFloat32(dtype, encodeFloats(dtype, values));
      expect([...back].every((value, i) => Object.is(value, values[i]))).toBe(true);
    }
  });
});
