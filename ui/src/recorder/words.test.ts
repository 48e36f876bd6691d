import { expect, test } from 'vitest';
import { parseClock } from './words';

test('times are read as people write them', () => {
  const rows: [string, number | null][] = [
    ['1:05', 65],
    ['0:07', 7],
    [' 75 ', 75],
    ['7.5', 7.5],
    ['1:02:03', 3723],
    ['', null],
    ['soon', null],
    ['1:2:3:4', null],
    ['-1', null],
    ['1:', null],
  ];
  for (const [text, secs] of rows) expect(parseClock(text), text).toBe(secs);
});
