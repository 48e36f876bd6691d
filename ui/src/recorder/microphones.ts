import type { Devices, MicWish } from './bridge';

type Microphone = Devices['microphones'][number];

/** What can be chosen, as a list shows it. The system's own comes first: it changes when the system changes to another one. */
export type Choice = { value: string; name: string; wish: MicWish | null };

const SYSTEM = 'system';
export const NO_SOUND = 'none';

export function choices(microphones: Microphone[]): Choice[] {
  const default_ = microphones.find((one) => one.default);
  const system: Choice = { value: SYSTEM, name: default_ ? `System default (${default_.name})` : 'System default', wish: { kind: 'system' } };
  const devices = microphones.map((one): Choice => ({ value: valueOf({ kind: 'device', id: one.id }), name: one.name, wish: { kind: 'device', id: one.id } }));
  const none: Choice = { value: NO_SOUND, name: 'No sound', wish: null };
  return microphones.length > 0 ? [system, ...devices, none] : [none];
}

export function valueOf(wish: MicWish | null): string {
  if (wish === null) return NO_SOUND;
  // No device can be taken for one of the other two.
  return wish.kind === 'system' ? SYSTEM : `device ${wish.id}`;
}

/** The choice that is in force: where the wanted microphone is not plugged in, the system's own until it is. */
export function inForce(offered: Choice[], wish: MicWish | null): Choice {
  const first: Choice = { value: NO_SOUND, name: 'No sound', wish: null };
  return offered.find((one) => one.value === valueOf(wish)) ?? offered[0] ?? first;
}
