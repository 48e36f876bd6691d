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
  is_recording: boolean;
  settings: Settings;
  takes: Take[];
};

/** What the worker chose, kept between starts. */
export type Settings = {
  /** The video is sent while it is recorded. */
  sends_early: boolean;
  /** Null is as fast as the line goes. */
  upload_bytes_per_sec: number | null;
  is_sending_paused: boolean;
  hidden_programs: string[];
  /** Of the system's, or one that stays chosen though it may not be plugged in. */
  microphone: MicWish;
};

/** The microphone that the system uses, whichever that is, or one of them. */
export type MicWish = { kind: 'system' } | { kind: 'device'; id: string };

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

/** How the worker stands to the text of consent: it was renewed, or withdrawn for good. */
export type MyConsent = { is_due: boolean; is_withdrawn: boolean };

/** How things stand after the consent was withdrawn, or all was erased. */
export type Left = Standing;

export type Invite = { server: string; host: string; code: string };

export type Screen = { id: string; name: string; width: number; height: number; primary: boolean };

export type Devices = {
  screens: Screen[];
  /** Single windows that can be recorded alone. */
  windows: Screen[];
  /** Programs whose windows can be left out of the picture; null where the system cannot. */
  programs: string[] | null;
  microphones: { id: string; name: string; default: boolean }[];
  /** How long a recording could be; null where the disk does not tell its room. */
  disk_secs: number | null;
  problems: Trouble[];
};

/** A part that a take needs, as it was found when it was tried. */
export type Finding = { part: 'screen' | 'legibility' | 'encoder' | 'input' | 'disk' | 'network' | 'microphone'; is_well: boolean; sentence: string };

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

/** `sent` of `total` bytes are with the server; `waiting` is why nothing moves. */
export type Sent = { sent: number; total: number; waiting: string | null };

/** The recordings that wait to be sent, the next one first. */
export type Queue = {
  takes: QueuedTake[];
  is_sending: boolean;
  is_paused: boolean;
  /** What stands in the way of all of them. */
  trouble: Trouble | null;
};

export type QueuedTake = {
  folder: string;
  /** Null for one that was not made in this window. */
  take: string | null;
  goal: string | null;
  bytes: number;
  /** It is sent now. */
  now: Sent | null;
  /** Why it could not be sent. */
  trouble: Trouble | null;
};

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
  queue: Queue;
  /** Folder of the recording that is sent now, and how far it is. */
  upload: [string, Sent];
  submitted: { take: string | null };
};

export function isTrouble(error: unknown): error is Trouble {
  return typeof error === 'object' && error !== null && 'what' in error && 'next' in error;
}

export function asTrouble(error: unknown): Trouble {
  if (isTrouble(error)) return error;
  return { what: `Something went wrong in this window: ${String(error)}.`, next: 'Close the recorder and open it again.', code: null };
}

/** The server wants the text of consent accepted first. */
export function wantsConsent(error: unknown): boolean {
  return isTrouble(error) && error.code === 'consent_required';
}

export const recorder = {
  standing: () => invoke<Standing>('standing'),
  readInvite: (link: string) => invoke<Invite>('read_invite', { link }),
  readTypedInvite: (host: string, code: string) => invoke<Invite>('read_typed_invite', { host, code }),
  /** Connects for the first time. */
  consent: (server: string) => invoke<ConsentText>('consent', { server }),
  join: (invite: Invite, consent: ConsentText, name: string, fiverrUser: string) =>
    invoke<Standing>('join', { invite, consent, name, fiverrUser }),
  myConsent: () => invoke<MyConsent>('my_consent'),
  consentInForce: () => invoke<ConsentText>('consent_in_force'),
  agree: (consent: ConsentText) => invoke<Queue>('agree', { consent }),
  /** For good. */
  withdraw: () => invoke<Left>('withdraw'),
  /** At the server, and here only if asked. */
  erase: (alsoHere: boolean) => invoke<Left>('erase', { alsoHere }),
  /** Gives where the copy lies. */
  saveMyData: () => invoke<string>('save_my_data'),
  goals: () => invoke<AssignmentItem[]>('goals'),
  claim: (assignment: string) => invoke<AssignmentItem>('claim', { assignment }),
  devices: () => invoke<Devices>('devices'),
  /** A microphone of null records no sound. */
  start: (assignment: AssignmentItem, screen: string, microphone: MicWish | null) =>
    invoke<null>('start', { assignment, screen, microphone }),
  stop: () => invoke<null>('stop'),
  preflight: (assignment: AssignmentItem, screen: string) => invoke<Finding[]>('preflight', { assignment, screen }),
  /** Five seconds of the microphone, as a WAV file. */
  listen: (microphone: MicWish) => invoke<{ finding: Finding; wav: number[] }>('listen', { microphone }),
  /** Pauses the running take, or lets it go on. */
  togglePause: () => invoke<null>('toggle_pause'),
  /** Removes the seconds between for good, widened to whole pieces of about a second. */
  cut: (take: string, from: number, to: number) => invoke<Take>('cut', { take, from, to }),
  discard: (take: string) => invoke<Discarded>('discard', { take }),
  choose: (settings: Settings) => invoke<Settings>('choose', { settings }),
  queue: () => invoke<Queue>('queue'),
  /** Puts it at the end of the queue. */
  submit: (take: string) => invoke<Queue>('submit', { take }),
  sendFirst: (folder: string) => invoke<Queue>('send_first', { folder }),
  /** The recording itself stays. */
  leaveQueue: (folder: string) => invoke<Queue>('leave_queue', { folder }),
  pauseSending: () => invoke<Queue>('pause_sending'),
  /** After a pause, or once more what could not be sent. */
  goOnSending: () => invoke<Queue>('go_on_sending'),
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
