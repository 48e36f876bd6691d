import type { Step } from '../../api/types/Step';

/** One Step as a sentence a reviewer reads at a glance. */
export function sentenceOf(step: Step): string {
  const target = step.target?.text ? `“${shorten(step.target.text)}”` : null;
  const place = target ?? (step.target?.role ? `a ${step.target.role}` : null);
  switch (step.action) {
    case 'click':
      return `${clicks(step)} ${place ?? 'the page'}`;
    case 'type':
      return step.text ? `Type “${shorten(step.text)}”${target ? ` into ${target}` : ''}` : `Type${place ? ` into ${place}` : ''}`;
    case 'key':
      return `Press ${step.key ?? 'a key'}`;
    case 'scroll':
      return `Scroll ${direction(step)}`.trim();
    case 'drag':
      return `Drag ${place ?? 'on the page'}`;
    case 'navigate':
      return `Go to ${shorten(step.title ?? hostOf(step.url) ?? 'another page')}`;
  }
}

function clicks(step: Step): string {
  if (step.count === 2) return 'Double-click';
  if (step.count === 3) return 'Triple-click';
  return step.button === 'right' ? 'Right-click' : 'Click';
}

function direction(step: Step): string {
  if (step.dy !== null && step.dy !== 0) return step.dy > 0 ? 'down' : 'up';
  if (step.dx !== null && step.dx !== 0) return step.dx > 0 ? 'right' : 'left';
  return '';
}

function hostOf(url: string | null): string | null {
  if (url === null) return null;
  return URL.canParse(url) ? new URL(url).host : url;
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 70 ? `${line.slice(0, 69)}…` : line;
}
