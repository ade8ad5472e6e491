import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonFault, JsonReader, parseStrictJson } from '../../../../main/ml/safetensors/jsonReader.ts';

/** A prototype-less tree as ordinary data. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('parseStrictJson', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.nat(3), (text, indent) => {
        fc.pre(!text.includes('__proto__') && text.isWellFormed());
        const spaced = JSON.stringify(JSON.parse(text), null, indent);
        expect(plain(parseStrictJson(spaced))).toEqual(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses what JSON.parse refuses, and nothing else but what it is stricter about', () => {
    const stricter = /occurs twice|surrogate|__proto__|nested deeper|more than/;
    const verdict = (text: string, parse: (text: string) => unknown): string | null => {
      try {
        parse(text);
        return null;
      } catch (error) {
        if (!(error instanceof SyntaxError) && !(error instanceof JsonFault)) throw error;
        return error.message;
      }
    };
    const alphabet = fc.constantFrom(...'{}[]",:\\u00e1-+.0123456789eEtrufalsn \t\n\u0000\u00e9');
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 3 }),
        fc.nat(),
        fc.string({ unit: alphabet, maxLength: 3 }),
        fc.nat(3),
        (...drawn) => {
          const [text, position, insert, removed] = drawn;
          const at = position % (text.length + 1);
          const changed = text.slice(0, at) + insert + text.slice(at + removed);
          const reference = verdict(changed, JSON.parse);
          const found = verdict(changed, parseStrictJson);
          if (reference !== null) expect(found, changed).not.toBeNull();
          else if (found !== null) expect(found, changed).toMatch(stricter);
        },
      ),
      { numRuns: 20_000 },
    );
  });

  it('refuses a key that occurs twice, at any depth', () => {
    expect(() => parseStrictJson('{"a":1,"b":2,"a":3}')).toThrow(/"a" occurs twice/);
    expect(() => parseStrictJson('{"x":[{"constructor":1,"\\u0063onstructor":2}]}')).toThrow(/occurs twice/);
  });

  it('refuses __proto__ and keeps the names of Object.prototype as own keys', () => {
    expect(() => parseStrictJson('{"a":{"__proto__":{"polluted":true}}}')).toThrow(/__proto__/);
    const fields = parseStrictJson('{"constructor":1,"toString":2,"hasOwnProperty":3}') as Record<string, unknown>;
    expect(Object.keys(fields)).toEqual(['constructor', 'toString', 'hasOwnProperty']);
    expect(Object.getPrototypeOf(fields)).toBeNull();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('bounds nesting and the number of values', () => {
    expect(() => parseStrictJson('['.repeat(100_000))).toThrow(/nested deeper than 64/);
    expect(() => parseStrictJson('{"a":'.repeat(100_000))).toThrow(/nested deeper than 64/);
    const many = `[${'[],'.repeat(300_000)}[]]`;
    expect(() => parseStrictJson(many)).toThrow(/more than 200000 values/);
  });

  it('is linear in white space, digits and escapes', () => {
    const started = performance.now();
    const size = 2_000_000;
    parseStrictJson(`${' '.repeat(size)}[]${' '.repeat(size)}`);
    parseStrictJson('1'.repeat(size));
    parseStrictJson(`"${'\\u0041'.repeat(size / 6)}"`);
    expect(() => parseStrictJson(`"${'a'.repeat(size)}`)).toThrow(/no end/);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('JsonReader', () => {
  it('hands numbers over as they are written', () => {
    const seen: string[] = [];
    const reader = new JsonReader('[9007199254740993, 1.60e1, -0, 18446744073709551616]');
    reader.array(() => seen.push(reader.numberText()));
    expect(seen).toEqual(['9007199254740993', '1.60e1', '-0', '18446744073709551616']);
  });
});
