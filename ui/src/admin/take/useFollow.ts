import { type RefObject, useEffect, useRef } from 'react';

/** Brings the active row of a list into sight when it changes; a reader who scrolls on between is left alone. */
export function useFollow<T extends HTMLElement>(active: number, following: boolean): RefObject<T | null> {
  const list = useRef<T | null>(null);
  useEffect(() => {
    if (!following || active < 0) return;
    const row = list.current?.children[active];
    row?.scrollIntoView({ block: 'nearest' });
  }, [active, following]);
  return list;
}
