import { describe, expect, test } from 'vitest';
import { tileAt } from './artifacts';
import { fillLane, lastBegun, shareAt, spanBox, thinPeaks, ticks, timeAt, wavePath } from './timeline';

describe('seconds and places', () => {
  test('there and back', () => {
    expect(shareAt(75, 300)).toBe(0.25);
    expect(timeAt(200, 800, 300)).toBe(75);
  });
  test('beyond either end', () => {
    expect(shareAt(-1, 300)).toBe(0);
    expect(shareAt(400, 300)).toBe(1);
    expect(timeAt(900, 800, 300)).toBe(300);
  });
  test('before the length is known', () => {
    expect(shareAt(10, 0)).toBe(0);
    expect(timeAt(10, 0, 300)).toBe(0);
  });
  test('a span has a place, and a width that can be seen', () => {
    expect(spanBox({ start: 30, end: 60 }, 300)).toEqual({ left: '10%', width: '10%' });
    expect(spanBox({ start: 30, end: 30 }, 300).width).toBe('0.4%');
    expect(spanBox({ start: 300, end: 300 }, 300)).toEqual({ left: '99.6%', width: '0.4%' });
  });
});

test.each([
  [0, -1],
  [2, 0],
  [6.9, 0],
  [7, 2],
  [99, 3],
])('what has begun at %d', (t, index) => expect(lastBegun([2, 7, 7, 20], t)).toBe(index));

test('the ruler has round times, not too many', () => {
  expect(ticks(312, 10)).toEqual([0, 60, 120, 180, 240, 300]);
  expect(ticks(8, 10)).toHaveLength(9);
  expect(ticks(0, 10)).toEqual([0]);
});

test('a thinned waveform keeps its loudest', () => {
  expect(thinPeaks([0, 1, 0.2, 0.3], 2)).toEqual([1, 0.3]);
  expect(thinPeaks([0.5], 2)).toEqual([0.5]);
  expect(wavePath([])).toBe('');
  expect(wavePath([0, 1])).toBe('M0 1.000L1 0.000L1 2.000L0 1.000Z');
});

test('quiet sound stays small, speech fills its lane', () => {
  expect(fillLane([0.25, 0.5])).toEqual([0.5, 1]);
  expect(fillLane([0.02])[0]).toBeCloseTo(0.1);
});

test('the thumbnail of a moment', () => {
  const sprite = { tile_width: 160, tile_height: 90, columns: 4, count: 10, every_secs: 5 };
  expect(tileAt(sprite, 0)).toMatchObject({ x: 0, y: 0 });
  expect(tileAt(sprite, 27)).toMatchObject({ x: 160, y: 90 });
  expect(tileAt(sprite, 999)).toMatchObject({ x: 160, y: 180 });
  expect(tileAt({ ...sprite, count: 0 }, 5)).toBeNull();
});
