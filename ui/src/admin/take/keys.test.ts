import { describe, expect, test } from 'vitest';
import { commandOf, type Press } from './keys';

const press = (key: string, more: Partial<Press> = {}) => commandOf({ key, shift: false, chord: false, focus: 'none', ...more });

describe('keys', () => {
  test.each([
    [' ', { do: 'toggle_play' }],
    ['K', { do: 'toggle_play' }],
    ['j', { do: 'skip', secs: -5 }],
    ['l', { do: 'skip', secs: 5 }],
    ['[', { do: 'speed', by: -1 }],
    ['4', { do: 'rate', rating: 4 }],
    ['w', { do: 'answer', index: 1 }],
    ['a', { do: 'accept' }],
    ['m', { do: 'mark' }],
    ['/', { do: 'search' }],
    ['?', { do: 'help' }],
    ['Enter', { do: 'submit' }],
    ['i', { do: 'next' }],
  ])('%j', (key, command) => expect(press(key)).toEqual(command));

  test('Shift skips further', () => expect(press('J', { shift: true })).toEqual({ do: 'skip', secs: -15 }));

  test.each(['6', '0', 'x', 'Tab', 'ArrowLeft', 'Escape'])('%s is left to the browser', (key) => {
    expect(press(key)).toBeNull();
  });

  test.each([' ', '1', 'q', 'Enter', '/', 'm'])('%j is dead while somebody writes', (key) => {
    expect(press(key, { focus: 'writing' })).toBeNull();
  });

  test("the browser's shortcuts stay the browser's", () => {
    expect(press('l', { chord: true })).toBeNull();
    expect(press('1', { chord: true })).toBeNull();
  });

  test('Space and Enter belong to the button that has the focus, letters do not', () => {
    expect(press(' ', { focus: 'pressing' })).toBeNull();
    expect(press('Enter', { focus: 'pressing' })).toBeNull();
    expect(press('m', { focus: 'pressing' })).toEqual({ do: 'mark' });
  });
});
