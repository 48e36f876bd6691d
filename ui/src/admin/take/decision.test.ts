import { describe, expect, test } from 'vitest';
import { acceptAll, addMark, type Draft, emptyDraft, nextAnswer, outcomeOf, problemOf, requestOf } from './decision';

const yes = { plays: true, narration: true, realistic: true, worth_pay: true };
const draft = (change: Partial<Draft>): Draft => ({ ...emptyDraft('required'), checklist: yes, ...change });

describe('what stands in the way', () => {
  test.each<[string, Draft, RegExp | null]>([
    ['nothing yet', emptyDraft('required'), /four questions/],
    ['a question', draft({ rating: 4, checklist: { ...yes, realistic: null } }), /realistic behaviour/],
    ['the rating', draft({}), /rating/],
    ['a reason for 2', draft({ rating: 2 }), /reason/],
    ['a reason for 1', draft({ rating: 1 }), /reason/],
    ['words for another reason', draft({ rating: 1, reason: 'other', note: ' ' }), /note/],
    ['paying what is not worth it', draft({ rating: 3, checklist: { ...yes, worth_pay: false } }), /pays it/],
    ['accepting what does not play', draft({ rating: 3, checklist: { ...yes, plays: false } }), /cannot be accepted/],
    ['nothing: accepted', draft({ rating: 3 }), null],
    ['nothing: sent back', draft({ rating: 2, reason: 'too_short' }), null],
    ['nothing: rejected and not worth it', draft({ rating: 1, reason: 'rehearsed', checklist: { ...yes, worth_pay: false } }), null],
  ])('%s', (_, made, problem) => {
    if (problem === null) expect(problemOf(made)).toBeNull();
    else expect(problemOf(made)).toMatch(problem);
    expect(requestOf(made, 1) === null).toBe(problem !== null);
  });
});

test('narration does not apply where the tier does not buy it', () => {
  expect(emptyDraft('none').checklist.narration).toBe('na');
  expect(emptyDraft('detailed').checklist.narration).toBeNull();
});

test('accepting all keeps the rating and what does not apply', () => {
  const made = acceptAll({ ...emptyDraft('none'), rating: 5 });
  expect(made.checklist).toEqual({ ...yes, narration: 'na' });
  expect(made.rating).toBe(5);
  expect(acceptAll(emptyDraft('required')).rating).toBe(3);
});

test('an answer goes round', () => {
  expect([null, true, false].map((answer) => nextAnswer(answer, false))).toEqual([true, false, true]);
  expect([null, true, false, 'na' as const].map((answer) => nextAnswer(answer, true))).toEqual([true, false, 'na', true]);
});

test('marks stay in the order of time, one a moment', () => {
  const first = addMark([], 30.04);
  const second = addMark(first.marks, 12);
  expect(second).toEqual({ marks: [{ t: 12, text: '' }, { t: 30, text: '' }], index: 0 });
  expect(addMark(second.marks, 30).index).toBe(1);
  expect(addMark(second.marks, 30).marks).toHaveLength(2);
});

test('the request leaves out what was not written, and the reason of an accepted take', () => {
  const made = draft({ rating: 4, reason: 'too_short', note: '  ', marks: [{ t: 3, text: ' look ' }, { t: 5, text: '' }] });
  expect(requestOf(made, 7)).toEqual({
    rating: 4,
    checklist: yes,
    reason: null,
    note: null,
    marks: [{ t: 3, text: 'look' }],
    version: 7,
  });
});

test('the outcome tells the money', () => {
  const pay = { amount_cents: 350, currency: 'USD' };
  expect(outcomeOf(3, pay)).toMatch(/accrues .*3[.,]50/);
  expect(outcomeOf(1, pay)).toMatch(/not earn .*3[.,]50/);
  expect(outcomeOf(3, null)).toBe('Accepts and accrues the pay.');
});
