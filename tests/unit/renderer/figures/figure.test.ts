import { describe, expect, it } from 'vitest';
import { toCsv, toTsv } from '../../../../renderer/figures/figure.ts';

const table = {
  columns: ['arm', 'k'],
  rows: [
    ['a, "b"', 3],
    ['tab\there', null],
  ],
};

describe('tables of figures', () => {
  it('quotes CSV as RFC 4180 has it', () => {
    expect(toCsv(table)).toBe('arm,k\r\n"a, ""b""",3\r\ntab\there,');
  });
  it('keeps one row a line and one value a column in TSV', () => {
    expect(toTsv(table)).toBe('arm\tk\na, "b"\t3\ntab here\t');
  });
});
