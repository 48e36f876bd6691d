import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { submissions } from '../../api/admin';
import { asFailure } from '../../api/client';
import type { Reviewed } from '../../api/types/Reviewed';
import type { SubmissionDetail } from '../../api/types/SubmissionDetail';
import { formatMoney } from '../../shared/format';
import { go } from '../../shared/router';
import { useSay } from '../../shared/said';
import { type Draft, problemOf, requestOf } from './decision';
import { isBeingRedacted } from './useRedaction';

export type Decision = {
  /** The take waits for a decision. */
  open: boolean;
  problem: string | null;
  /** Sending was tried while something was missing: say what. */
  pressed: boolean;
  sending: boolean;
  error: unknown;
  /** Somebody else changed the take meanwhile. */
  stale: boolean;
  send: () => void;
  /** Reads the take anew; what was typed stays. */
  renew: () => void;
};

function sentenceOf({ stage, payout }: Reviewed): string {
  if (stage === 'accepted' && payout) {
    return `Accepted. ${formatMoney(payout.amount.amount_cents, payout.amount.currency)} accrued.`;
  }
  if (stage === 'accepted') return 'Accepted.';
  return stage === 'redo' ? 'Sent back for a revision.' : 'Rejected.';
}

export function useDecision(take: SubmissionDetail, draft: Draft, reload: () => Promise<unknown>): Decision {
  const client = useQueryClient();
  const say = useSay();
  const [pressed, setPressed] = useState(false);
  const open = take.stage === 'ready' || take.stage === 'in_review';
  const redacting = isBeingRedacted(take);
  const problem = redacting ? 'Wait until the redaction is done.' : problemOf(draft);
  const review = useMutation({
    mutationFn: (body: NonNullable<ReturnType<typeof requestOf>>) => submissions.review(take.id, body),
    onSuccess: (done) => {
      void client.invalidateQueries({ queryKey: ['submissions'] });
      void client.invalidateQueries({ queryKey: ['payouts'] });
      say(sentenceOf(done));
      go(done.next_id ? `/admin/submissions/${done.next_id}` : '/admin');
    },
  });
  const send = () => {
    setPressed(true);
    const body = requestOf(draft, take.version);
    if (open && !redacting && body && !review.isPending) review.mutate(body);
  };
  const code = review.isError ? asFailure(review.error).code : null;
  return {
    open,
    problem,
    pressed,
    sending: review.isPending,
    error: review.error,
    stale: code === 'version_conflict' || code === 'stage_conflict',
    send,
    renew: () => void reload().then(() => review.reset()),
  };
}
