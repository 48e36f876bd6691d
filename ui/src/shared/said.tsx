import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from 'react';

/** One short sentence about what was just done; it outlives the page that did it. */
const SayContext = createContext<(text: string) => void>(() => undefined);

const SHOWN_MILLIS = 6000;

export function useSay(): (text: string) => void {
  return useContext(SayContext);
}

export function SayProvider({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState<{ text: string; count: number } | null>(null);
  const say = useCallback((text: string) => setSaid((last) => ({ text, count: (last?.count ?? 0) + 1 })), []);
  useEffect(() => {
    if (!said) return;
    const timer = window.setTimeout(() => setSaid(null), SHOWN_MILLIS);
    return () => window.clearTimeout(timer);
  }, [said]);
  return (
    <SayContext value={say}>
      {children}
      <div className="said" role="status">
        {said ? <span>{said.text}</span> : null}
      </div>
    </SayContext>
  );
}
