import { expect, test } from 'vitest';
import type { MicWish } from './bridge';
import { choices, inForce } from './microphones';

const built = { id: 'alsa_input.pci', name: 'Built-in microphone', default: true };
const headset = { id: 'alsa_input.usb', name: 'Headset', default: false };
const wish: MicWish = { kind: 'device', id: headset.id };

test('the system default comes first, is named, and names no device to the recorder', () => {
  expect(choices([built, headset]).map((one) => one.name)).toEqual(['System default (Built-in microphone)', 'Built-in microphone', 'Headset', 'No sound']);
  expect(inForce(choices([built, headset]), { kind: 'system' }).wish).toEqual({ kind: 'system' });
  const changed = choices([{ ...built, default: false }, { ...headset, default: true }]);
  expect(inForce(changed, { kind: 'system' }).name).toBe('System default (Headset)');
  expect(choices([headset])[0]?.name).toBe('System default');
});

test('a chosen device stays chosen when the system changes, and is come back to when it was unplugged', () => {
  const changed = choices([{ ...built, default: false }, { ...headset, default: true }]);
  expect(inForce(changed, wish).wish).toEqual(wish);
  expect(inForce(choices([built]), wish).wish).toEqual({ kind: 'system' });
  expect(inForce(choices([built, headset]), wish).wish).toEqual(wish);
});

test('without a microphone, or without the wish for one, there is no sound', () => {
  expect(inForce(choices([]), { kind: 'system' }).wish).toBeNull();
  expect(inForce(choices([built]), null).wish).toBeNull();
  const odd = { id: 'none', name: 'Named like no sound', default: false };
  expect(inForce(choices([odd]), { kind: 'device', id: 'none' }).wish).toEqual({ kind: 'device', id: 'none' });
});
