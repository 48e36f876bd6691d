import type { Span } from '../../api/types/Span';

/** The arithmetic of the timeline: seconds to shares of its width, and back. */

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** 0 to 1. */
export function shareAt(t: number, duration: number): number {
  return duration > 0 ? clamp(t / duration, 0, 1) : 0;
}

export function timeAt(x: number, width: number, duration: number): number {
  return width > 0 ? clamp(x / width, 0, 1) * duration : 0;
}

/** Place and width in percent; never thinner than can be seen and clicked. */
export function spanBox(span: Span, duration: number, leastPercent = 0.4): { left: string; width: string } {
  const left = shareAt(span.start, duration) * 100;
  const width = Math.max(leastPercent, shareAt(span.end, duration) * 100 - left);
  return { left: `${Math.min(left, 100 - leastPercent)}%`, width: `${Math.min(width, 100 - left || leastPercent)}%` };
}

/** Index of the last one that has begun at `t`; -1 before the first. The list is in the order of time. */
export function lastBegun(times: readonly number[], t: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? Number.POSITIVE_INFINITY) <= t) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const TICK_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

/** Round times for the ruler, about `most` of them. */
export function ticks(duration: number, most: number): number[] {
  const step = TICK_STEPS.find((secs) => duration / secs <= most) ?? 3600;
  const times: number[] = [];
  for (let t = 0; t <= duration; t += step) times.push(t);
  return times;
}

/** Outline of a waveform as an SVG path, mirrored on the middle of a box of `peaks.length` by 2. */
export function wavePath(peaks: readonly number[]): string {
  if (peaks.length === 0) return '';
  const point = (x: number, y: number) => `${x} ${y.toFixed(3)}`;
  const upper = peaks.map((peak, x) => point(x, 1 - peak));
  const lower = peaks.map((peak, x) => point(x, 1 + peak)).reverse();
  return `M${[...upper, ...lower].join('L')}Z`;
}

/** Quieter sound than this is drawn small; louder fills the lane, since speech seldom comes near full scale. */
const LEAST_FULL = 0.2;

/** Peaks scaled so that the loudest reaches the edge of its lane. */
export function fillLane(peaks: readonly number[]): number[] {
  const loudest = peaks.reduce((most, peak) => Math.max(most, peak), LEAST_FULL);
  return peaks.map((peak) => peak / loudest);
}

/** The loudest of each run, so that at most `most` are drawn. */
export function thinPeaks(peaks: readonly number[], most: number): number[] {
  if (peaks.length <= most) return [...peaks];
  const run = peaks.length / most;
  return Array.from({ length: most }, (_, i) => {
    let loudest = 0;
    for (let at = Math.floor(i * run); at < Math.floor((i + 1) * run); at++) loudest = Math.max(loudest, peaks[at] ?? 0);
    return loudest;
  });
}
