import { expect, test } from 'vitest';
import { downToPercent, howToPause, parseClock, spellWait, withNews } from './words';

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

test('the pause key is named only where it works', () => {
  expect(howToPause(true)).toContain('Ctrl+Alt+P');
  expect(howToPause(false)).not.toContain('Ctrl');
  expect(howToPause(false)).toContain('button');
});

test('each kind of news is shown once, the newest first', () => {
  const event = (t: number, kind: string) => ({ t, kind, sentence: `${kind}.` });
  let shown = [event(1, 'noise'), event(2, 'mic_quiet'), event(3, 'noise')].reduce(withNews, [] as ReturnType<typeof event>[]);
  expect(shown.map((news) => [news.t, news.kind])).toEqual([[3, 'noise'], [2, 'mic_quiet']]);
  for (const kind of ['a', 'b', 'c']) shown = withNews(shown, event(4, kind));
  expect(shown.map((news) => news.kind)).toEqual(['c', 'b', 'a', 'noise']);
});

test('how long sending takes is told where the speed is known', () => {
  expect(spellWait(120_000_000, 100_000)).toBe('about 20 minutes');
  expect(spellWait(1, 100_000)).toBe('about a minute');
  expect(spellWait(120_000_000, null)).toBeNull();
  expect(spellWait(0, 100_000)).toBeNull();
});

test('a share that just misses what is asked for is not shown as if it were enough', () => {
  expect([0, 0.0999, 0.1, 0.29, 0.3, 1].map(downToPercent)).toEqual([0, 0.09, 0.1, 0.29, 0.3, 1]);
});
