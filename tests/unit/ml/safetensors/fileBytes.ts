/** Safetensors files built by hand, right or wrong. */

/** A file with this header (an object, or its text as it is) and these data. */
export function fileBytes(header: object | string, data: Uint8Array = new Uint8Array()): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header), 'utf8');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

/** One float32 tensor "a" [2, 2] with the values 1, 2, 3, 4; fields may be replaced or removed (undefined). */
export function oneTensor(fields: Record<string, unknown> = {}, data = new Float32Array([1, 2, 3, 4])): Buffer {
  return fileBytes(
    { a: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16], ...fields } },
    new Uint8Array(data.buffer),
  );
}
