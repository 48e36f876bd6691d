import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { submissions } from '../../api/admin';
import type { RedactionTrack } from '../../api/types/RedactionTrack';
import type { RedactionView } from '../../api/types/RedactionView';
import type { Span } from '../../api/types/Span';
import type { SubmissionDetail } from '../../api/types/SubmissionDetail';
import { useSay } from '../../shared/said';

export type Redaction = {
  /** The reviewer chooses a stretch. */
  marking: boolean;
  span: Span | null;
  track: RedactionTrack;
  asking: boolean;
  sending: boolean;
  error: unknown;
  begin: () => void;
  leave: () => void;
  setSpan: (span: Span) => void;
  setTrack: (track: RedactionTrack) => void;
  ask: (asking: boolean) => void;
  send: () => void;
};

/** Shorter stretches are a slip of the hand. */
const SHORTEST_SECS = 0.1;

/** Two ends in either order, as a stretch of the take; null where there is next to nothing between them. */
export function spanOf(from: number, to: number): Span | null {
  const span = { start: Math.min(from, to), end: Math.max(from, to) };
  return span.end - span.start < SHORTEST_SECS ? null : span;
}

/** How many redactions are done: the files of the take are others after each. */
export function generationOf(take: SubmissionDetail): number {
  return take.redactions.filter((one) => one.done_at !== null).length;
}

export function isBeingRedacted(take: SubmissionDetail): boolean {
  return take.redactions.some((one) => one.done_at === null);
}

/** What the timeline says of a redacted stretch. */
export function redactedTitle(one: RedactionView): string {
  if (one.done_at === null) return 'Being redacted';
  return one.is_gone ? 'Redacted' : 'Redacted; earlier bytes are still being removed';
}

export function useRedaction(take: SubmissionDetail, reload: () => Promise<unknown>): Redaction {
  const say = useSay();
  const [marking, setMarking] = useState(false);
  const [span, setSpan] = useState<Span | null>(null);
  const [track, setTrack] = useState<RedactionTrack>('both');
  const [asking, ask] = useState(false);
  const leave = () => {
    setMarking(false);
    setSpan(null);
    ask(false);
  };
  const redact = useMutation({
    mutationFn: (chosen: Span) =>
      submissions.redact(take.id, { ...chosen, track, box: null, version: take.version }),
    onSuccess: async () => {
      leave();
      say('The stretch is being redacted.');
      await reload();
    },
    onError: () => ask(false),
  });
  return {
    marking,
    span,
    track,
    asking,
    sending: redact.isPending,
    error: redact.error,
    begin: () => {
      redact.reset();
      setMarking(true);
    },
    leave,
    setSpan,
    setTrack,
    ask,
    send: () => {
      if (span && !redact.isPending) redact.mutate(span);
    },
  };
}
