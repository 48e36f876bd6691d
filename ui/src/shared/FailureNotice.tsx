import { asFailure } from '../api/client';
import { Button, Notice } from './parts';

/** A failed request in words, with its reference for the one who runs the server. */
export function FailureNotice({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const failure = asFailure(error);
  return (
    <Notice tone="bad" title={failure.message}>
      {failure.hint ? <span>{failure.hint}</span> : null}
      {failure.requestId ? <span className="reference">Reference: {failure.requestId}</span> : null}
      {onRetry ? <Button onClick={onRetry}>Try again</Button> : null}
    </Notice>
  );
}
