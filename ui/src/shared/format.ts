/** Numbers and dates in the reader's language; media times as clocks. */

/** `7.4` becomes `0:07`, `3725` becomes `1:02:05`. Seconds are cut, not rounded: a clock never runs ahead. */
export function formatClock(secs: number): string {
  const whole = Number.isFinite(secs) ? Math.max(0, Math.floor(secs)) : 0;
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const seconds = String(whole % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
}

/** As spoken by a screen reader: `2 min 5 s`. */
export function formatDuration(secs: number): string {
  const whole = Math.max(0, Math.round(secs));
  const minutes = Math.floor(whole / 60);
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

export function formatMoney(amountCents: number, currency: string): string {
  return new Intl.NumberFormat(undefined, { style: 'currency', currency }).format(amountCents / 100);
}

/** `1 scenario`, `2 scenarios`. */
export function formatCount(count: number, one: string): string {
  return `${count} ${count === 1 ? one : `${one}s`}`;
}

const BYTE_UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

export function formatBytes(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const unit = BYTE_UNITS[power] ?? 'byte';
  return new Intl.NumberFormat(undefined, {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    maximumFractionDigits: power < 2 ? 0 : 1,
  }).format(bytes / 1000 ** power);
}

export function formatPercent(share: number): string {
  return new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 0 }).format(share);
}

/** Date and time from RFC 3339. */
export function formatWhen(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  return new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }).format(date);
}

const AGES: ReadonlyArray<[Intl.RelativeTimeFormatUnit, number]> = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** `3 hours ago`, told from `now` in milliseconds. */
export function formatAge(at: string, now: number): string {
  const secs = (new Date(at).getTime() - now) / 1000;
  if (Number.isNaN(secs)) return at;
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
  for (const [unit, size] of AGES) {
    if (Math.abs(secs) >= size) return words.format(Math.trunc(secs / size), unit);
  }
  return words.format(0, 'minute');
}

/** `little_speech` becomes `little speech`. */
export function words(name: string): string {
  return name.replaceAll('_', ' ');
}
