import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { formatBytes, formatClock } from '../shared/format';
import { Button, Notice } from '../shared/parts';
import { type Discarded, recorder, type Take } from './bridge';
import { Cut } from './Cut';
import { Page, TroubleNotice } from './Page';
import { verdictWords } from './words';

const share = new Intl.NumberFormat(undefined, { style: 'percent', maximumSignificantDigits: 1 });

type Props = {
  take: Take;
  onSubmitted: () => void;
  onAgain: (take: Take) => void;
  onCut: (take: Take) => void;
  onDiscarded: (news: Discarded) => void;
};

export function Result({ take, onSubmitted, onAgain, onCut, onDiscarded }: Props) {
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [cutting, setCutting] = useState(false);
  const discard = useMutation({ mutationFn: () => recorder.discard(take.id), onSuccess: onDiscarded });
  const send = useMutation({
    mutationFn: () => recorder.submit(take.id),
    onSuccess: (queue) => {
      queries.setQueryData(['queue'], queue);
      onSubmitted();
    },
  });
  const verdict = take.report?.verdict ?? 'review';
  const said = verdictWords[verdict];
  // Many are a flag, with a sentence of its own.
  const isFlagged = take.report?.flags.some((flag) => flag.flag === 'dropped_frames') ?? false;
  const missing = 1 - (take.report?.measurements.capture?.frames_kept ?? 1);
  const submit = (
    <Button look={verdict === 'reject' ? 'plain' : 'primary'} large disabled={send.isPending} onClick={() => send.mutate()} data-testid="submit">
      {verdict === 'reject' ? 'Send it in anyway' : 'Send it in'}
    </Button>
  );
  const again = (
    <Button look={verdict === 'reject' ? 'primary' : 'plain'} large onClick={() => onAgain(take)} data-testid="again">
      Record again
    </Button>
  );
  return (
    <Page id="result" title="The check of your recording" lead={take.assignment.goal}>
      <div data-testid="verdict" data-verdict={verdict}>
        <Notice tone={said.tone} title={said.title}>
          <span>{said.text}</span>
        </Notice>
      </div>
      {take.ended_early !== null ? (
        <div data-testid="ended-early">
          <Notice tone="warn" title="This recording ended before you stopped it.">
            <span>{take.ended_early}</span>
          </Notice>
        </div>
      ) : null}
      {take.recovered ? (
        <Notice tone="info" title="This recording was cut short.">
          <span>The recorder or the computer stopped before you did. What had been recorded until then was saved.</span>
        </Notice>
      ) : null}
      <p className="numbers muted">
        {formatClock(take.secs)} long, {formatBytes(take.bytes)}
        {missing > 0 && !isFlagged ? `, ${share.format(missing)} of the pictures missing because the computer was busy` : ''}
      </p>
      {take.report && take.report.flags.length > 0 ? (
        <ul className="flags" aria-label="What the check found">
          {take.report.flags.map((flag) => (
            <li key={flag.flag} className="card" data-testid="flag" data-flag={flag.flag}>
              <span className={flag.verdict === 'reject' ? 'tone-bad' : 'tone-warn'}>{flag.verdict === 'reject' ? 'Must be better: ' : 'Please note: '}</span>
              {flag.sentence}
            </li>
          ))}
        </ul>
      ) : null}
      <p>The server checks some more once it has the recording, such as how clear your words are. That can still lower this result.</p>
      <TroubleNotice error={send.error ?? discard.error} />
      <div className="row wrap">
        {verdict === 'reject' ? [<span key="a">{again}</span>, <span key="s">{submit}</span>] : [<span key="s">{submit}</span>, <span key="a">{again}</span>]}
        <Button look="quiet" large onClick={() => setCutting(true)} data-testid="cut">
          Cut something out
        </Button>
        <Button look="quiet" large onClick={() => setAsking(true)} data-testid="discard">
          Delete it
        </Button>
      </div>
      {cutting ? (
        <Cut
          take={take}
          onCut={(shorter) => {
            setCutting(false);
            onCut(shorter);
          }}
          onBack={() => setCutting(false)}
        />
      ) : null}
      {asking ? (
        <Notice tone="warn" title="Delete this recording from your computer?">
          <span>It has not been sent in. It cannot be brought back.</span>
          <div className="row">
            <Button look="danger" disabled={discard.isPending} onClick={() => discard.mutate()} data-testid="discard-yes">
              Delete it
            </Button>
            <Button onClick={() => setAsking(false)}>Keep it</Button>
          </div>
        </Notice>
      ) : null}
    </Page>
  );
}
