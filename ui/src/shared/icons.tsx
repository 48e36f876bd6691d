import type { ReactNode } from 'react';

const SHAPES = {
  click: <path d="M4 2.5l8.5 5-3.6 1L11 12.4l-1.7 1-2.2-3.9L4.5 12z" />,
  type: <path d="M3 4V3h10v1M8 3v10M6 13h4" />,
  key: <path d="M2 4.5h12v7H2zM4.5 9.5h7M4.5 7h.01M7 7h.01M9.5 7h.01M11.8 7h.01" />,
  scroll: <path d="M8 2v12M5 5l3-3 3 3M5 11l3 3 3-3" />,
  drag: <path d="M2 8h12M11 5l3 3-3 3M2 5v6" />,
  navigate: <path d="M2 8a6 6 0 1 0 12 0A6 6 0 1 0 2 8M2 8h12M8 2c2.4 2 2.4 10 0 12M8 2c-2.4 2-2.4 10 0 12" />,
  play: <path d="M5 3l8 5-8 5z" fill="currentColor" />,
  pause: <path d="M5 3v10M11 3v10" strokeWidth="2.4" />,
  back: <path d="M8 3L3 8l5 5M13 3L8 8l5 5" />,
  forward: <path d="M8 3l5 5-5 5M3 3l5 5-5 5" />,
  sound: <path d="M2 6h2.5L8 3v10L4.500 10H2zM10.500 5.500c1.500 1.500 1.500 3.500 0 5M12.500 3.500c2.600 2.600 2.600 6.400 0 9" />,
  mute: <path d="M2 6h2.5L8 3v10L4.500 10H2zM11 6l4 4M15 6l-4 4" />,
  whole: <path d="M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4" />,
  down: <path d="M8 2v9M4 7.5L8 11.5l4-4M2.500 14h11" />,
  check: <path d="M3 8.500l3.500 3.500L13 4.500" />,
  mark: <path d="M4 14V2.500h8l-2 3 2 3H4" />,
  close: <path d="M4 4l8 8M12 4l-8 8" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof SHAPES;

/** Decoration: the words beside it or the button's label say what it means. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {SHAPES[name]}
    </svg>
  );
}
