import { expect, test } from 'vitest';
import { formatAge, formatClock, formatDuration, words } from './format';

test.each([
  [0, '0:00'],
  [7.99, '0:07'],
  [65, '1:05'],
  [3725, '1:02:05'],
  [-3, '0:00'],
  [Number.NaN, '0:00'],
])('%d seconds as a clock', (secs, clock) => expect(formatClock(secs)).toBe(clock));

test('a duration is rounded and spoken', () => {
  expect(formatDuration(59.6)).toBe('1 min 0 s');
  expect(formatDuration(4.2)).toBe('4 s');
});

test('an age is told in its largest unit', () => {
  const now = Date.parse('2026-03-02T12:00:00.000Z');
  expect(formatAge('2026-03-02T09:10:00.000Z', now)).toMatch(/2/);
  expect(formatAge('no date', now)).toBe('no date');
});

test('names become words', () => expect(words('goal_not_attempted')).toBe('goal not attempted'));
