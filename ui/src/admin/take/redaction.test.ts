import { expect, test } from 'vitest';
import { spanOf } from './useRedaction';

test('a stretch has its ends in order, and is no slip of the hand', () => {
  expect(spanOf(4, 2)).toEqual({ start: 2, end: 4 });
  expect(spanOf(2, 2.05)).toBeNull();
});
