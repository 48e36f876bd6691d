import type { Mark } from '../../api/types/Mark';
import type { Narration } from '../../api/types/Narration';
import type { Reason } from '../../api/types/Reason';
import type { ReviewRequest } from '../../api/types/ReviewRequest';
import { formatMoney } from '../../shared/format';

/** A decision while it is being made. `null`: not answered yet. */
export type Answer = boolean | 'na' | null;
export type Item = 'plays' | 'narration' | 'realistic' | 'worth_pay';
export type Draft = {
  checklist: Record<Item, Answer>;
  rating: number | null;
  reason: Reason | null;
  note: string;
  marks: Mark[];
};

export const ITEMS: ReadonlyArray<{ item: Item; label: string; key: string; mayLack: boolean }> = [
  { item: 'plays', label: 'Video plays', key: 'Q', mayLack: false },
  { item: 'narration', label: 'Narration present', key: 'W', mayLack: true },
  { item: 'realistic', label: 'Realistic behaviour', key: 'E', mayLack: false },
  { item: 'worth_pay', label: 'Worth its pay', key: 'R', mayLack: false },
];

export const RATINGS: ReadonlyArray<{ rating: number; word: string; result: string }> = [
  { rating: 1, word: 'Rejected', result: 'no payment' },
  { rating: 2, word: 'Needs improvement', result: 'revision' },
  { rating: 3, word: 'Acceptable', result: 'standard pay' },
  { rating: 4, word: 'Good', result: 'repeat work' },
  { rating: 5, word: 'Exceptional', result: 'bonus' },
];

export const REASONS: Record<Reason, string> = {
  too_short: 'Too short',
  no_audio: 'No sound',
  poor_audio: 'Poor sound',
  no_narration: 'No narration',
  wrong_screen: 'Wrong screen',
  unreadable_video: 'Picture cannot be read',
  goal_not_attempted: 'Goal not attempted',
  goal_partly: 'Goal attempted in part',
  instructions: 'Instructions not followed',
  unnatural: 'Unnatural behaviour',
  rehearsed: 'Rehearsed beforehand',
  duplicate_self: 'Repeats an own recording',
  duplicate_other: "Repeats another's recording",
  synthetic_voice: 'Synthetic voice',
  personal_data_shown: 'Personal data shown (never lowers trust)',
  technical_ours: 'Our software failed (never lowers trust)',
  other: 'Other: say it in the note',
};

export function emptyDraft(narration: Narration): Draft {
  return {
    checklist: { plays: null, narration: narration === 'none' ? 'na' : null, realistic: null, worth_pay: null },
    rating: null,
    reason: null,
    note: '',
    marks: [],
  };
}

/** Not answered, yes, no, and round again; "does not apply" only where it may lack. */
export function nextAnswer(answer: Answer, mayLack: boolean): Answer {
  if (answer === true) return false;
  if (answer === false && mayLack) return 'na';
  return true;
}

/** Everything yes, and standard pay unless a rating was chosen. What does not apply stays so. */
export function acceptAll(draft: Draft): Draft {
  const checklist = { ...draft.checklist };
  for (const { item } of ITEMS) if (checklist[item] !== 'na') checklist[item] = true;
  return { ...draft, checklist, rating: draft.rating ?? 3 };
}

/** Adds a mark, in the order of time. Returns its place too, so that its text can be focused. */
export function addMark(marks: readonly Mark[], t: number): { marks: Mark[]; index: number } {
  const at = Math.round(t * 10) / 10;
  const same = marks.findIndex((mark) => mark.t === at);
  if (same >= 0) return { marks: [...marks], index: same };
  const later = marks.findIndex((mark) => mark.t > at);
  const index = later < 0 ? marks.length : later;
  return { marks: [...marks.slice(0, index), { t: at, text: '' }, ...marks.slice(index)], index };
}

/** What still stands in the way of sending it, the first thing first; null when it can go. */
export function problemOf(draft: Draft): string | null {
  const { checklist, rating } = draft;
  const open = ITEMS.filter(({ item }) => checklist[item] === null);
  if (open.length === ITEMS.length && rating === null) return 'Answer the four questions and choose a rating.';
  if (open.length > 0) return `Still to answer: ${open.map(({ label }) => label.toLowerCase()).join(', ')}.`;
  if (rating === null) return 'Choose a rating.';
  if (rating <= 2 && draft.reason === null) return 'Choose a reason: the worker is told it.';
  if (rating <= 2 && draft.reason === 'other' && draft.note.trim() === '') return 'Say the reason in the note.';
  if (rating >= 3 && checklist.worth_pay === false) return 'You answered that it is not worth its pay, but this rating pays it.';
  if (rating >= 3 && checklist.plays === false) return 'A video that does not play cannot be accepted.';
  return null;
}

/** What sending it does, in money; who only reviews is not told the sum. */
export function outcomeOf(rating: number | null, pay: { amount_cents: number; currency: string } | null): string {
  const sum = pay === null ? 'the pay' : formatMoney(pay.amount_cents, pay.currency);
  switch (rating) {
    case 5:
      return `Accepts and accrues ${sum}; marks it for a bonus.`;
    case 4:
      return `Accepts and accrues ${sum}; the worker is wanted again.`;
    case 3:
      return `Accepts and accrues ${sum}.`;
    case 2:
      return `Sends it back for a revision. Until then ${sum} is not paid.`;
    case 1:
      return `Rejects it. It does not earn ${sum}.`;
    default:
      return `Accepting pays ${sum}.`;
  }
}

/** The request, or null while the draft has a problem. */
export function requestOf(draft: Draft, version: number): ReviewRequest | null {
  const { plays, narration, realistic, worth_pay } = draft.checklist;
  if (problemOf(draft) !== null || draft.rating === null) return null;
  if (plays === null || narration === null || realistic === null || worth_pay === null) return null;
  const note = draft.note.trim();
  return {
    rating: draft.rating,
    checklist: { plays, narration, realistic, worth_pay },
    reason: draft.rating <= 2 ? draft.reason : null,
    note: note === '' ? null : note,
    marks: draft.marks.map((mark) => ({ t: mark.t, text: mark.text.trim() })).filter((mark) => mark.text !== ''),
    version,
  };
}
