import { type ReactNode, useEffect, useRef } from 'react';
import { Button, Notice } from '../shared/parts';
import { asTrouble } from './bridge';

type PageProps = { id: string; title: string; lead?: ReactNode; children: ReactNode };

/** One screen of the window. Its title takes the focus, so that a screen reader tells where one is now. */
export function Page({ id, title, lead, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section className="page stack" data-testid={`screen-${id}`} aria-labelledby="title">
      <header className="stack tight">
        <h1 id="title" ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {lead ? <p className="lead">{lead}</p> : null}
      </header>
      {children}
    </section>
  );
}

/** What went wrong, in words. */
export function TroubleNotice({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  if (!error) return null;
  const trouble = asTrouble(error);
  return (
    <div data-testid="trouble" className="stack">
      <Notice tone="bad" title={trouble.what}>
        <span>{trouble.next}</span>
        {onRetry ? <Button onClick={onRetry}>Try again</Button> : null}
      </Notice>
    </div>
  );
}
