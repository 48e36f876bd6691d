import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { formatBytes, formatPercent } from '../shared/format';
import { Button, Notice, ProgressBar } from '../shared/parts';
import { recorder, type Sent, type Take, type Trouble, useNews } from './bridge';
import { Page, TroubleNotice } from './Page';

type Props = { take: Take; running: boolean; onSubmitted: () => void; onBack: () => void };

/** Sends a take; what is already with the server is not sent twice, however often this is tried. */
export function Sending({ take, running, onSubmitted, onBack }: Props) {
  const [sent, setSent] = useState<Sent | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [paused, setPaused] = useState(false);
  const submit = useMutation({ mutationFn: () => recorder.submit(take.id) });
  const cancel = useMutation({ mutationFn: recorder.cancelSubmit });
  useNews('upload', (news) => news.take === take.id && setSent(news));
  useNews('submitted', (news) => news.take === take.id && onSubmitted());
  useNews('unsent', (news) => {
    if (news.take !== take.id) return;
    setTrouble(news.trouble);
    setPaused(news.trouble === null);
  });
  const begun = useRef(running);
  const { mutate } = submit;
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    mutate();
  }, [mutate]);

  const stopped = paused || trouble !== null || submit.isError;
  const retry = () => {
    setTrouble(null);
    setPaused(false);
    submit.mutate();
  };
  const share = sent && sent.total > 0 ? sent.sent / sent.total : 0;
  return (
    <Page id="sending" title={stopped ? 'Not sent yet' : 'Sending your recording'} lead={take.assignment.goal}>
      <div className="card stack">
        <ProgressBar share={share} label="Sent" />
        <span className="numbers" data-testid="sent">
          {sent ? `${formatPercent(share)}: ${formatBytes(sent.sent)} of ${formatBytes(sent.total)}` : 'Preparing'}
        </span>
        {sent?.waiting && !stopped ? <span role="status">{sent.waiting}</span> : null}
      </div>
      {stopped ? (
        <>
          <TroubleNotice error={trouble ?? submit.error} />
          {paused ? <Notice title="Sending is paused.">What was sent so far stays with the server. You can go on at any time.</Notice> : null}
          <div className="row">
            <Button look="primary" large onClick={retry} data-testid="retry">
              {paused ? 'Go on' : 'Try again'}
            </Button>
            <Button look="quiet" large onClick={onBack}>
              Later
            </Button>
          </div>
        </>
      ) : (
        <>
          <p>Please leave this window open until it is done. If the network breaks, sending goes on where it stopped.</p>
          <div className="row">
            <Button onClick={() => cancel.mutate()} disabled={cancel.isPending} data-testid="pause">
              Pause
            </Button>
          </div>
        </>
      )}
    </Page>
  );
}
