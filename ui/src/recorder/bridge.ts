import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import { useEffect, useRef } from 'react';
import type { AssignmentItem } from '../api/types/AssignmentItem';
import type { ConsentText } from '../api/types/ConsentText';
import type { HealthEvent } from '../api/types/HealthEvent';
import type { QualityReport } from '../api/types/QualityReport';
import type { RecordingStage } from '../api/types/RecordingStage';
import type { SubmissionView } from '../api/types/SubmissionView';

/** What the window shares with the program behind it: `recorder-app/src` has the same names in `view.rs`. */
export type Standing = {
  /** Another window of the recorder is open and has the recordings. */
  already_open: boolean;
  enrolment: { server: string; host: string } | null;
  /** The invite link that the program was opened with. */
  invite_link: string | null;
  activity: 'idle' | 'recording' | 'sending';
  takes: Take[];
};

/** A recording on this computer. */
export type Take = {
  id: string;
  stage: RecordingStage;
  assignment: AssignmentItem;
  secs: number;
  bytes: number;
  started_at: string;
  report: QualityReport | null;
  /** It was cut short by a crash or a power cut and made whole afterwards. */
  recovered: boolean;
  /** What ended it before its maker did, with what to do; null when its maker did. */
  ended_early: string | null;
};

/** A recording was deleted; `trouble` is what is still to be done about it. */
export type Discarded = { standing: Standing; trouble: Trouble | null };

export type Invite = { server: string; host: string; code: string };

export type Devices = {
  screens: { id: string; name: string; width: number; height: number; primary: boolean }[];
  microphones: { id: string; name: string; default: boolean }[];
  problems: Trouble[];
};

/** A part that a take needs, as it was found when it was tried. */
export type Finding = { part: 'screen' | 'encoder' | 'disk' | 'network' | 'microphone'; is_well: boolean; sentence: string };

/** What happened and what it means; what to do next. `code` is the server's, where it was the server that refused. */
export type Trouble = { what: string; next: string; code: string | null };

export type Level = {
  secs: number;
  peak_dbfs: number | null;
  bytes: number;
  paused: boolean;
  /** Ctrl+Alt+P pauses from any window. */
  pause_key: boolean;
  /** How much of the take was speech so far; null without a microphone. */
  speech_share: number | null;
  /** How long the disk has room; null where it does not tell. */
  disk_secs: number | null;
};

/** `sent` of `total` bytes are with the server. */
export type Sent = { take: string; sent: number; total: number; waiting: string | null };

export type Handed = { assignment: AssignmentItem; view: SubmissionView };

type News = {
  /** The first picture was taken. */
  started: null;
  level: Level;
  health: HealthEvent;
  /** Trouble of this kind is over. */
  over: string;
  /** The take ended and was checked. */
  finished: Take;
  /** Nothing usable came of it. */
  failed: Trouble;
  upload: Sent;
  submitted: { take: string };
  /** `trouble` is null when sending was paused by its maker. */
  unsent: { take: string; trouble: Trouble | null };
};

export function isTrouble(error: unknown): error is Trouble {
  return typeof error === 'object' && error !== null && 'what' in error && 'next' in error;
}

export function asTrouble(error: unknown): Trouble {
  if (isTrouble(error)) return error;
  return { what: `Something went wrong in this window: ${String(error)}.`, next: 'Close the recorder and open it again.', code: null };
}

export const recorder = {
  standing: () => invoke<Standing>('standing'),
  readInvite: (link: string) => invoke<Invite>('read_invite', { link }),
  readTypedInvite: (host: string, code: string) => invoke<Invite>('read_typed_invite', { host, code }),
  /** Connects for the first time. */
  consent: (server: string) => invoke<ConsentText>('consent', { server }),
  join: (invite: Invite, consent: ConsentText, name: string, fiverrUser: string) =>
    invoke<Standing>('join', { invite, consent, name, fiverrUser }),
  goals: () => invoke<AssignmentItem[]>('goals'),
  claim: (assignment: string) => invoke<AssignmentItem>('claim', { assignment }),
  devices: () => invoke<Devices>('devices'),
  /** A microphone of null records no sound. */
  start: (assignment: AssignmentItem, screen: string, microphone: string | null) =>
    invoke<null>('start', { assignment, screen, microphone }),
  stop: () => invoke<null>('stop'),
  preflight: (assignment: AssignmentItem, screen: string) => invoke<Finding[]>('preflight', { assignment, screen }),
  /** Five seconds of the microphone, as a WAV file. */
  listen: (microphone: string) => invoke<{ finding: Finding; wav: number[] }>('listen', { microphone }),
  /** Pauses the running take, or lets it go on. */
  togglePause: () => invoke<null>('toggle_pause'),
  /** Removes the seconds between for good, widened to whole pieces of about a second. */
  cut: (take: string, from: number, to: number) => invoke<Take>('cut', { take, from, to }),
  discard: (take: string) => invoke<Discarded>('discard', { take }),
  submit: (take: string) => invoke<null>('submit', { take }),
  cancelSubmit: () => invoke<null>('cancel_submit'),
  submissions: () => invoke<Handed[]>('submissions'),
};

/** Hears what the program tells while the component is shown. */
export function useNews<K extends keyof News>(kind: K, hear: (news: News[K]) => void): void {
  const latest = useRef(hear);
  latest.current = hear;
  useEffect(() => {
    const stop = listen<News[K]>(kind, (event) => latest.current(event.payload));
    return () => void stop.then((off) => off());
  }, [kind]);
}
