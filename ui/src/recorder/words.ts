import type { AssignmentStage } from '../api/types/AssignmentStage';
import type { HealthEvent } from '../api/types/HealthEvent';
import type { Reason } from '../api/types/Reason';
import type { SubmissionStage } from '../api/types/SubmissionStage';
import type { Verdict } from '../api/types/Verdict';
import type { Tone } from '../shared/parts';

type Said = { word: string; tone: Tone };

/** The life of a goal as its worker sees it. */
export const goalWords: Record<AssignmentStage, Said> = {
  open: { word: 'Free to take', tone: 'plain' },
  reserved: { word: 'Yours', tone: 'info' },
  recording: { word: 'Yours', tone: 'info' },
  submitted: { word: 'Sent in', tone: 'plain' },
  redo: { word: 'Please record again', tone: 'warn' },
  accepted: { word: 'Accepted', tone: 'good' },
  rejected: { word: 'Not accepted', tone: 'bad' },
  expired: { word: 'Expired', tone: 'plain' },
  returned: { word: 'Given back', tone: 'plain' },
  problem: { word: 'Problem reported', tone: 'warn' },
  cancelled: { word: 'Cancelled', tone: 'plain' },
};

const recordable: AssignmentStage[] = ['open', 'reserved', 'recording', 'redo'];

export function canRecord(stage: AssignmentStage): boolean {
  return recordable.includes(stage);
}

/** The life of what was sent in, with a sentence on what comes next. */
export const submissionWords: Record<SubmissionStage, Said & { next: string }> = {
  received: { word: 'Received', tone: 'info', next: 'The server has all of it. Its checks come next.' },
  inspecting: { word: 'Being checked', tone: 'info', next: 'Picture and sound are being checked. This takes some minutes.' },
  analysing: { word: 'Being checked', tone: 'info', next: 'Your words and steps are being read. This takes some minutes.' },
  ready: { word: 'Waiting for review', tone: 'info', next: 'A person will look at it next.' },
  in_review: { word: 'In review', tone: 'info', next: 'A person is looking at it now.' },
  accepted: { word: 'Accepted', tone: 'good', next: 'Thank you. There is nothing more to do.' },
  redo: { word: 'Please record again', tone: 'warn', next: 'Read the reasons below, then record this goal again.' },
  sent_back: { word: 'Sent back', tone: 'warn', next: 'The checks found a problem. This is not a rating. Record this goal again.' },
  rejected: { word: 'Not accepted', tone: 'bad', next: 'It is not paid. The reasons are below.' },
  quarantined: { word: 'On hold', tone: 'warn', next: 'Somebody needs to look at it first. You need not do anything.' },
  failed: { word: 'Stuck', tone: 'warn', next: 'The checks could not be finished. This is not your fault, and we will try again.' },
  withdrawn: { word: 'Withdrawn', tone: 'plain', next: 'It was taken back and will not be used.' },
};

/** The check on this computer. */
export const verdictWords: Record<Verdict, { title: string; text: string; tone: Tone }> = {
  accept: { title: 'This recording looks good.', text: 'The check on this computer found nothing wrong. You can send it in.', tone: 'good' },
  review: {
    title: 'This recording can be sent in, with a remark.',
    text: 'A reviewer will look at the points below. If they are easy to avoid, recording again may be better.',
    tone: 'warn',
  },
  reject: {
    title: 'This recording cannot be used as it is.',
    text: 'If you send it in, it will come back to you. Please record again. This is not a rating.',
    tone: 'bad',
  },
};

export const reasonWords: Record<Reason, string> = {
  too_short: 'The recording is too short.',
  no_audio: 'There is no sound.',
  poor_audio: 'The sound is hard to understand.',
  no_narration: 'You did not say aloud what you were thinking.',
  wrong_screen: 'Another screen or window was recorded.',
  unreadable_video: 'The picture cannot be read.',
  goal_not_attempted: 'The goal was not attempted.',
  goal_partly: 'Only a part of the goal was done.',
  instructions: 'The instructions were not followed.',
  unnatural: 'It does not look like natural shopping.',
  rehearsed: 'It looks rehearsed or read from a script.',
  duplicate_self: 'It repeats another recording of yours.',
  duplicate_other: 'It repeats the recording of another person.',
  synthetic_voice: 'The voice sounds like a computer voice.',
  personal_data_shown: 'Personal data can be seen in it.',
  technical_ours: 'Something went wrong on our side.',
  other: 'Another reason.',
};

/** `300` becomes `5 minutes`, in the reader's language. */
export function spellSecs(secs: number): string {
  const whole = secs >= 60 && secs % 60 === 0;
  const spell = new Intl.NumberFormat(undefined, { style: 'unit', unit: whole ? 'minute' : 'second', unitDisplay: 'long' });
  return spell.format(whole ? secs / 60 : Math.ceil(secs));
}

/** `1:05` becomes 65, `7.5` stays; null for what is no time. */
export function parseClock(text: string): number | null {
  const match = /^(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d+)?)$/.exec(text.trim());
  if (!match) return null;
  const [hours, minutes, secs] = [Number(match[1] ?? 0), Number(match[2] ?? 0), Number(match[3])];
  return hours * 3600 + minutes * 60 + secs;
}

/** How the worker pauses; the key is not there on each desktop. */
export function howToPause(hasKey: boolean): string {
  return hasKey ? 'Ctrl+Alt+P pauses at once, from any window.' : 'To pause, use the button here: on this desktop no key does it.';
}

/** A share in whole percent, never more than there is: 0.0999 is not yet a tenth, and the check after the take says so. */
export function downToPercent(share: number): number {
  return Math.floor(share * 100 + 1e-9) / 100;
}

const MOST_NEWS = 4;

/** The newest first, each kind once, so that one trouble does not push the others out. */
export function withNews(shown: HealthEvent[], event: HealthEvent): HealthEvent[] {
  return [event, ...shown.filter((other) => other.kind !== event.kind)].slice(0, MOST_NEWS);
}

/** How fast recordings are sent; bytes a second, null is as fast as it goes. */
export const speeds: { bytes: number | null; words: string }[] = [
  { bytes: null, words: 'As fast as possible' },
  { bytes: 1_000_000, words: 'Leave room for others (1 MB a second)' },
  { bytes: 300_000, words: 'Slow (0.3 MB a second)' },
  { bytes: 100_000, words: 'Very slow (0.1 MB a second)' },
];

/** `about 20 minutes`, from what is left at a speed; null where the speed is not known. */
export function spellWait(bytes: number, bytesPerSec: number | null): string | null {
  if (bytesPerSec === null || bytes <= 0) return null;
  const minutes = Math.ceil(bytes / bytesPerSec / 60);
  return minutes < 2 ? 'about a minute' : `about ${spellSecs(minutes * 60)}`;
}
