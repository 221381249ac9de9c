/** parseNumber against Number(text), bit for bit. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNumber } from '../../dist/src/formats/numbers.js';
import { uniform } from '../helpers/random.js';

const parse = (text: string): number => {
  // Neighbours that would change the number if they were read.
  const bytes = Buffer.from(`7${text}7`);
  return parseNumber(bytes, 1, bytes.length - 1);
};
const isSame = (text: string): boolean => Object.is(parse(text), Number(text));

describe('parseNumber', () => {
  it('gives what Number gives for 100,000 random texts', () => {
    const next = uniform(11);
    const under = (count: number): number => Math.floor(next() * count);
    const digits = (most: number): string => Array.from({ length: under(most + 1) }, () => under(10)).join('');
    const bits = new DataView(new ArrayBuffer(8));
    const differing: string[] = [];
    for (let i = 0; i < 100_000; i++) {
      const sign = ['', '-', '+'][under(3)] as string;
      const exponent = under(3) === 0 ? `${'eE'[under(2)]}${['', '-', '+'][under(3)]}${under(330)}` : '';
      bits.setUint32(0, under(2 ** 32));
      bits.setUint32(4, under(2 ** 32));
      const double = bits.getFloat64(0);
      const text = [
        `${sign}${digits(18)}${under(10)}${under(2) ? `.${digits(20)}` : ''}${exponent}`,
        `${sign}.${digits(25)}${under(10)}${exponent}`,
        `${sign}${under(100_000)}.${under(1000)}`,
        Number.isFinite(double) ? String(double) : '0',
        double.toPrecision(17).replace(/NaN|-?Infinity/, '1'),
      ][i % 5] as string;
      if (!isSame(text)) differing.push(text);
    }
    expect(differing).toEqual([]);
  });

  it.each([
    ...['0', '-0', '+0', '-0.0', '00', '007', '.5', '5.', '-.5', '+5.', '+1', '1e5', '1E+5', '1e-5', '0e999', '1.e2'],
    // Halfway between two doubles, and a digit to either side of it.
    ...['9007199254740993', '9007199254740992.999999999', '9007199254740993.000000001', '9007199254740995'],
    ...[
      '1.00000000000000011102230246251565404236316680908203125',
      '1.0000000000000001110223024625156540423631668090820312',
    ],
    ...[
      '1.00000000000000011102230246251565404236316680908203126',
      '0.500000000000000166533453693773481063544750213623046875',
    ],
    ...[
      '179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880',
    ],
    // Fifteen digits take the short way, sixteen and seventeen the long.
    ...[
      '123456789012345',
      '1234567890.12345',
      '0.123456789012345',
      '0.1234567890123456',
      '12345678901234567',
      '0.30000000000000004',
    ],
    ...[
      '2.2250738585072011e-308',
      '2.2250738585072014e-308',
      '4.9e-324',
      '2.4703282292062327e-324',
      '2.4703282292062328e-324',
      '1e-400',
    ],
    ...[
      '1.7976931348623157e308',
      '0.000000000000000000000001',
      '0.0000000000000000000001',
      '1e22',
      '1e23',
      '8.5e22',
      '3.5',
      '4.35',
      '0.1',
    ],
  ])('reads %s as Number does', (text) => {
    expect(parse(text)).toBe(Number(text));
  });

  it.each(['1e309', '-1e999', '1.7976931348623159e308'])(
    'overflows %s to infinity, which its caller refuses',
    (text) => {
      expect(parse(text)).toBe(Number(text));
      expect(Number.isFinite(parse(text))).toBe(false);
    },
  );

  it('takes spaces around a number', () => {
    expect(parse('  2.5 ')).toBe(2.5);
    expect(parse(' 1e3  ')).toBe(1000);
  });

  it.each([
    ...[
      '',
      ' ',
      '.',
      '-',
      '+',
      '-.',
      'e5',
      '.e5',
      '1e',
      '1e+',
      '1e5.5',
      '--1',
      '+-1',
      '1-',
      '1.2.3',
      '1,5',
      '1 2',
      '1_000',
    ],
    ...[
      '0x10',
      '0b1',
      '0o7',
      'NaN',
      'nan',
      'Infinity',
      '-inf',
      '1f',
      '1n',
      '٣',
      '1\u00a0',
      '１',
      '1\t',
      'null',
      'true',
    ],
  ])('takes %j for no number', (text) => {
    expect(parse(text)).toBeNaN();
  });

  it('takes nothing for a number that is not a decimal number', () => {
    const grammar = /^ *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)? *$/;
    const piece = fc.constantFrom(...'0123456789', '.', 'e', 'E', '+', '-', ' ', 'x', ',', 'Infinity', '_');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
        const text = pieces.join('');
        expect(parse(text)).toBe(grammar.test(text) ? Number(text) : Number.NaN);
      }),
      { numRuns: 20_000 },
    );
  });
});
