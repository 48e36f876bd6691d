import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { formatBytes, formatCount, formatPercent } from '../shared/format';
import { Button, Empty, Loading, Notice, ProgressBar } from '../shared/parts';
import { type Queue, type QueuedTake, recorder, type Trouble, useNews, wantsConsent } from './bridge';
import { Page, TroubleNotice } from './Page';
import { Speed } from './Speed';
import { useSettings } from './useSettings';
import { spellWait } from './words';

type Props = { queue: Queue | undefined; isWithdrawn: boolean; onConsent: () => void; onStatus: () => void; onGoals: () => void };

/** What is sent now and what waits; none of it is sent twice, however often it breaks off. */
export function Sending({ queue, isWithdrawn, onConsent, onStatus, onGoals }: Props) {
  const queries = useQueryClient();
  const { settings } = useSettings();
  const showQueue = (news: Queue) => queries.setQueryData(['queue'], news);
  const pause = useMutation({ mutationFn: recorder.pauseSending, onSuccess: showQueue });
  const goOn = useMutation({ mutationFn: recorder.goOnSending, onSuccess: showQueue });
  const first = useMutation({ mutationFn: recorder.sendFirst, onSuccess: showQueue });
  const leave = useMutation({ mutationFn: recorder.leaveQueue, onSuccess: showQueue });
  const waiting = useRef(0);
  waiting.current = queue?.takes.length ?? 0;
  // The list of what was sent in is what one wants to see once all is sent.
  useNews('submitted', () => waiting.current <= 1 && onStatus());

  if (!queue) return <Page id="sending" title="Sending"><Loading what="Looking what waits" /></Page>;
  const now = queue.takes.find((take) => take.now !== null && queue.is_sending);
  const others = queue.takes.filter((take) => take !== now);
  const left = queue.takes.reduce((sum, take) => sum + take.bytes - (take.now?.sent ?? 0), 0);
  const wait = spellWait(left, settings?.upload_bytes_per_sec ?? null);
  const isRefused = !isWithdrawn && [queue.trouble, ...queue.takes.map((take) => take.trouble)].some(wantsConsent);
  const isStuck = !queue.is_sending && !queue.is_paused && queue.takes.length > 0;
  return (
    <Page id="sending" title="Sending your recordings" lead={now ? 'You can record the next one meanwhile. If the network breaks, sending goes on where it stopped.' : undefined}>
      {queue.takes.length === 0 ? (
        <Empty title="Nothing waits to be sent">
          <span>Recordings that you send in appear here until the server has them.</span>
          <div className="row">
            <Button onClick={onStatus}>What you sent in</Button>
            <Button onClick={onGoals}>Your goals</Button>
          </div>
        </Empty>
      ) : null}
      {now?.now ? (
        <div className="card stack" data-testid="sending-now">
          <h2>{now.goal ?? 'A recording'}</h2>
          <ProgressBar share={now.now.total > 0 ? now.now.sent / now.now.total : 0} label="Sent" />
          <span className="numbers" data-testid="sent">
            {now.now.total > 0 ? `${formatPercent(now.now.sent / now.now.total)}: ${formatBytes(now.now.sent)} of ${formatBytes(now.now.total)}` : 'Preparing'}
          </span>
          {now.now.waiting ? <span role="status">{now.now.waiting}</span> : null}
        </div>
      ) : null}
      {queue.is_paused && queue.takes.length > 0 ? <Notice title="Sending is paused.">What was sent so far stays with the server. You can go on at any time.</Notice> : null}
      {isRefused ? (
        <Notice tone="warn" title="What you agreed to has changed.">
          <span>Nothing is lost. Read the new text; once you agree, sending goes on.</span>
          <Button look="primary" onClick={onConsent} data-testid="read-consent">
            Read it
          </Button>
        </Notice>
      ) : null}
      <TroubleNotice error={queue.trouble ?? pause.error ?? goOn.error ?? first.error ?? leave.error} />
      {queue.takes.length > 0 ? (
        <div className="row wrap">
          {queue.is_paused || isStuck ? (
            <Button look="primary" large disabled={goOn.isPending} onClick={() => goOn.mutate()} data-testid="retry">
              {queue.is_paused ? 'Go on' : 'Try again'}
            </Button>
          ) : (
            <Button large disabled={pause.isPending} onClick={() => pause.mutate()} data-testid="pause">
              Pause sending
            </Button>
          )}
          <span className="muted" data-testid="left">
            {formatCount(queue.takes.length, 'recording')}, {formatBytes(Math.max(0, left))} left{wait ? `, ${wait}` : ''}
          </span>
        </div>
      ) : null}
      {others.length > 0 ? (
        <section className="stack tight" aria-labelledby="waiting">
          <h2 id="waiting">{now ? 'Then, in this order' : 'Waiting, in this order'}</h2>
          <ol className="goals" data-testid="waiting">
            {others.map((take, place) => (
              <Waiting key={take.folder} take={take} isFirst={place === 0} trouble={isRefused && wantsConsent(take.trouble) ? null : take.trouble} onFirst={() => first.mutate(take.folder)} onLeave={() => leave.mutate(take.folder)} />
            ))}
          </ol>
        </section>
      ) : null}
      <Speed />
    </Page>
  );
}

type WaitingProps = { take: QueuedTake; isFirst: boolean; trouble: Trouble | null; onFirst: () => void; onLeave: () => void };

function Waiting({ take, isFirst, trouble, onFirst, onLeave }: WaitingProps) {
  const name = take.goal ?? 'A recording that is no longer on the disk';
  return (
    <li className="card stack tight" data-testid="queued">
      <div className="row spread">
        <span>
          <strong>{name}</strong> <span className="muted numbers">{take.bytes > 0 ? formatBytes(take.bytes) : ''}</span>
        </span>
        <span className="row">
          {isFirst ? null : (
            <Button onClick={onFirst} aria-label={`Send next: ${name}`} data-testid="send-first">
              Send next
            </Button>
          )}
          <Button look="quiet" onClick={onLeave} aria-label={`Hold back: ${name}`} data-testid="leave-queue">
            Hold back
          </Button>
        </span>
      </div>
      <TroubleNotice error={trouble} />
    </li>
  );
}
