/**
 * The data types of the safetensors format, and exact widening to float32. Little-endian machines only, as Node's
 * platforms are.
 */

/** Bits of one element. */
const bitsByDtype = new Map<string, number>([
  ['BOOL', 8], ['U8', 8], ['I8', 8], ['F8_E4M3', 8], ['F8_E5M2', 8], ['F8_E8M0', 8], ['F8_E4M3FNUZ', 8], ['F8_E5M2FNUZ', 8],
  ['F4', 4], ['F6_E2M3', 6], ['F6_E3M2', 6],
  ['I16', 16], ['U16', 16], ['F16', 16], ['BF16', 16],
  ['I32', 32], ['U32', 32], ['F32', 32],
  ['I64', 64], ['U64', 64], ['F64', 64], ['C64', 64],
]); // prettier-ignore

/** Bits of an element of this type; undefined for a type the format does not know. */
export const dtypeBits = (dtype: string): number | undefined => bitsByDtype.get(dtype);

/** Types that `widenToFloat32` reads. */
export const floatDtypes = ['F32', 'F16', 'BF16', 'F64'] as const;
export type FloatDtype = (typeof floatDtypes)[number];
export const isFloatDtype = (dtype: string): dtype is FloatDtype => (floatDtypes as readonly string[]).includes(dtype);

/** Types that `encodeFloats` writes. */
export type WrittenDtype = 'F32' | 'F16' | 'BF16';

/**
 * Little-endian floats as float32: F32, F16 and BF16 exactly (signed zeros, subnormals, infinities and NaN included),
 * F64 rounded to nearest even.
 * @param bytes a whole number of elements, at any alignment
 * @param values where they go: as many elements, a new array unless given
 */
export function widenToFloat32(
  dtype: FloatDtype,
  bytes: Uint8Array,
  values: Float32Array = new Float32Array((bytes.byteLength * 8) / bitsByDtype.get(dtype)!),
): Float32Array {
  const count = values.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Through the bits, not through a number: V8 may change the payload of a NaN.
  const bits = new Uint32Array(values.buffer, values.byteOffset, count);
  switch (dtype) {
    case 'F32':
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength).set(bytes);
      break;
    case 'BF16':
      if (bytes.byteOffset % 2 === 0) {
        // twice as fast as through the view
        const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, count);
        for (let i = 0; i < count; i++) bits[i] = halves[i]! << 16;
      } else for (let i = 0; i < count; i++) bits[i] = view.getUint16(2 * i, true) << 16;
      break;
    case 'F16':
      for (let i = 0; i < count; i++) bits[i] = float16ToFloat32Bits(view.getUint16(2 * i, true));
      break;
    case 'F64':
      for (let i = 0; i < count; i++) values[i] = view.getFloat64(8 * i, true);
      break;
  }
  return values;
}

/** IEEE 754 binary16 to the bits of the equal binary32. */
export function float16ToFloat32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  let fraction = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  // Subnormal: shift the leading 1 into place; 113 = 127 - 15 + 1.
  let shifted = 113;
  while ((fraction & 0x400) === 0) {
    fraction <<= 1;
    shifted--;
  }
  return (sign | (shifted << 23) | ((fraction & 0x3ff) << 13)) >>> 0;
}

/** The bits of a float32 rounded to bfloat16, to nearest, ties to even; NaN stays NaN. */
export function float32BitsToBfloat16(bits: number): number {
  if ((bits & 0x7fffffff) >>> 0 > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The bits of a float32 rounded to binary16, to nearest, ties to even; beyond 65520 infinity. */
export function float32BitsToFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  const exponent = magnitude >>> 23;
  if (exponent < 102) return sign; // below half of the smallest subnormal
  // Bits that fall off the end: 13 for a normal number, more for a subnormal one.
  const dropped = exponent >= 113 ? 13 : 126 - exponent;
  const fraction = exponent >= 113 ? magnitude - (112 << 23) : (magnitude & 0x7fffff) | 0x800000;
  const kept = fraction >>> dropped;
  const rest = fraction & ((1 << dropped) - 1);
  const half = 1 << (dropped - 1);
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}

/** Little-endian bytes of float32 values, rounded to nearest even where the type is narrower. */
export function encodeFloats(dtype: WrittenDtype, values: Float32Array): Uint8Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bytes = new Uint8Array((values.length * bitsByDtype.get(dtype)!) / 8);
  const view = new DataView(bytes.buffer);
  if (dtype === 'F32') for (let i = 0; i < bits.length; i++) view.setUint32(4 * i, bits[i]!, true);
  else {
    const round = dtype === 'BF16' ? float32BitsToBfloat16 : float32BitsToFloat16;
    for (let i = 0; i < bits.length; i++) view.setUint16(2 * i, round(bits[i]!), true);
  }
  return bytes;
}
