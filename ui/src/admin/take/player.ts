import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { clamp } from './timeline';

/** The one `<video>` is the only clock of the page; everything else follows it. */
export type Player = {
  video: RefObject<HTMLVideoElement | null>;
  time: number;
  duration: number;
  playing: boolean;
  rate: number;
  muted: boolean;
  /** The browser could not play it. */
  broken: boolean;
  seek: (t: number) => void;
  skip: (secs: number) => void;
  toggle: () => void;
  changeSpeed: (by: -1 | 1) => void;
  toggleSound: () => void;
};

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4];
/** Speech is still understood well at this speed (review at double speed loses little). */
const FIRST_SPEED = 1.75;
const SPEED_KEY = 'collector.review.speed';

function keptSpeed(): number {
  const kept = Number(window.localStorage.getItem(SPEED_KEY));
  return SPEEDS.includes(kept) ? kept : FIRST_SPEED;
}

/** `knownDuration` serves until the video has told its own. */
export function usePlayer(knownDuration: number): Player {
  const video = useRef<HTMLVideoElement | null>(null);
  const [time, setTime] = useState(0);
  const [ownDuration, setOwnDuration] = useState<number | null>(null);
  const [playing, setPlaying] = useState(false);
  const [broken, setBroken] = useState(false);
  const [muted, setMuted] = useState(false);
  const [rate, setRate] = useState(keptSpeed);

  useEffect(() => {
    const element = video.current;
    if (!element) return;
    const follow = () => setTime(element.currentTime);
    const learn = () => {
      setBroken(false);
      setOwnDuration(Number.isFinite(element.duration) ? element.duration : null);
    };
    const states: Array<[string, () => void]> = [
      ['timeupdate', follow],
      ['seeking', follow],
      ['loadedmetadata', learn],
      ['durationchange', learn],
      ['play', () => setPlaying(true)],
      ['pause', () => setPlaying(false)],
      ['volumechange', () => setMuted(element.muted)],
      ['error', () => setBroken(true)],
    ];
    for (const [name, listener] of states) element.addEventListener(name, listener);
    if (element.error) setBroken(true);
    if (element.readyState >= HTMLMediaElement.HAVE_METADATA) learn();
    return () => {
      for (const [name, listener] of states) element.removeEventListener(name, listener);
    };
  }, []);

  useEffect(() => {
    const element = video.current;
    if (!element) return;
    element.playbackRate = rate;
    element.defaultPlaybackRate = rate;
    window.localStorage.setItem(SPEED_KEY, String(rate));
  }, [rate]);

  const duration = ownDuration ?? knownDuration;
  const seek = useCallback((t: number) => {
    const element = video.current;
    if (!element) return;
    const end = Number.isFinite(element.duration) ? element.duration : t;
    element.currentTime = clamp(t, 0, end);
    setTime(element.currentTime);
  }, []);
  const skip = useCallback((secs: number) => seek((video.current?.currentTime ?? 0) + secs), [seek]);
  const toggle = useCallback(() => {
    const element = video.current;
    if (!element) return;
    // A refused play (no file, no codec) shows through the error event.
    if (element.paused) void element.play().catch(() => undefined);
    else element.pause();
  }, []);
  const changeSpeed = useCallback((by: -1 | 1) => {
    setRate((now) => SPEEDS[clamp(SPEEDS.indexOf(now) + by, 0, SPEEDS.length - 1)] ?? now);
  }, []);
  const toggleSound = useCallback(() => {
    if (video.current) video.current.muted = !video.current.muted;
  }, []);

  return useMemo(
    () => ({ video, time, duration, playing, rate, muted, broken, seek, skip, toggle, changeSpeed, toggleSound }),
    [time, duration, playing, rate, muted, broken, seek, skip, toggle, changeSpeed, toggleSound],
  );
}
