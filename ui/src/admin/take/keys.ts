/** The keyboard of the review page: single keys, dead while somebody writes. */

export type Command =
  | { do: 'toggle_play' }
  | { do: 'skip'; secs: number }
  | { do: 'speed'; by: -1 | 1 }
  | { do: 'rate'; rating: number }
  | { do: 'answer'; index: number }
  | { do: 'accept' }
  | { do: 'mark' }
  | { do: 'search' }
  | { do: 'help' }
  | { do: 'submit' }
  | { do: 'next' };

/** What the page needs to know of a key press and of the element that has the focus. */
export type Press = {
  key: string;
  shift: boolean;
  /** Control, Alt or Meta: the browser's own shortcuts. */
  chord: boolean;
  focus: Focus;
};

/**
 * `writing`: a field that takes letters. `pressing`: a control that was reached by keyboard and that Space or Enter
 * works on; one that was clicked leaves Space to the video.
 */
export type Focus = 'none' | 'writing' | 'pressing';

const WRITING_INPUTS = new Set(['text', 'search', 'email', 'password', 'number', 'url', 'tel', 'date', 'time']);

/**
 * `byKeyboard`: the last that moved the focus was a key. `:focus-visible` does not tell it, since browsers turn it on
 * with any key that is pressed after a click.
 */
export function focusOf(element: Element | null, byKeyboard: boolean): Focus {
  if (!element) return 'none';
  const tag = element.tagName.toLowerCase();
  if (tag === 'textarea' || tag === 'select' || (element as HTMLElement).isContentEditable) return 'writing';
  // A chosen radio or a ticked box has no use for Enter, so that the decision can be sent from there.
  if (tag === 'input') return WRITING_INPUTS.has((element as HTMLInputElement).type) ? 'writing' : 'none';
  const role = element.getAttribute('role');
  const pressable = tag === 'button' || tag === 'a' || tag === 'summary' || role === 'tab' || role === 'button';
  return pressable && byKeyboard ? 'pressing' : 'none';
}

const CHECKLIST_KEYS = ['q', 'w', 'e', 'r'];

export function commandOf({ key, shift, chord, focus }: Press): Command | null {
  if (chord || focus === 'writing') return null;
  if (focus === 'pressing' && (key === ' ' || key === 'Enter')) return null;
  const letter = key.toLowerCase();
  const secs = shift ? 15 : 5;
  if (/^[1-5]$/.test(key)) return { do: 'rate', rating: Number(key) };
  const item = CHECKLIST_KEYS.indexOf(letter);
  if (item >= 0) return { do: 'answer', index: item };
  switch (letter) {
    case ' ':
    case 'k':
      return { do: 'toggle_play' };
    case 'j':
      return { do: 'skip', secs: -secs };
    case 'l':
      return { do: 'skip', secs };
    case '[':
      return { do: 'speed', by: -1 };
    case ']':
      return { do: 'speed', by: 1 };
    case 'a':
      return { do: 'accept' };
    case 'm':
      return { do: 'mark' };
    case '/':
      return { do: 'search' };
    case '?':
      return { do: 'help' };
    case 'enter':
      return { do: 'submit' };
    case 'i':
      return { do: 'next' };
    default:
      return null;
  }
}

/** What the help dialog lists, in the order of use. */
export const KEY_HELP: ReadonlyArray<readonly [keys: readonly string[], meaning: string]> = [
  [['Space', 'K'], 'Play, pause'],
  [['J', 'L'], 'Back, forward 5 seconds; 15 with Shift'],
  [['[', ']'], 'Slower, faster'],
  [['/'], 'Search the transcript'],
  [['M'], 'Mark this moment and write to it'],
  [['Q', 'W', 'E', 'R'], 'Change the answer: plays, narration, realistic, worth its pay'],
  [['1', '…', '5'], 'Rate; this does not send yet'],
  [['A'], 'Answer everything with yes, and rate 3 if there is no rating yet'],
  [['Enter'], 'Send the decision and go to the next take'],
  [['I'], 'Leave this take and go to the next'],
  [['?'], 'This list'],
];
