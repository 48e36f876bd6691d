import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import type { RedactionTrack } from '../../api/types/RedactionTrack';
import type { SubmissionDetail } from '../../api/types/SubmissionDetail';
import { FailureNotice } from '../../shared/FailureNotice';
import { formatClock } from '../../shared/format';
import { Button, Notice } from '../../shared/parts';
import type { Player } from './player';
import { isBeingRedacted, type Redaction, spanOf } from './useRedaction';

const TRACKS: ReadonlyArray<readonly [RedactionTrack, string]> = [
  ['both', 'Picture and sound'],
  ['picture', 'Picture only'],
  ['sound', 'Sound only'],
];

type Props = { take: SubmissionDetail; player: Player; redaction: Redaction };

/** Covers a stretch of the take for good; closed it is nothing. */
export function RedactBar({ take, player, redaction }: Props) {
  if (isBeingRedacted(take)) {
    return (
      <Notice tone="info" title="A stretch of this take is being redacted.">
        <span>It can be decided on when that is done. You may go on to another take; what you typed here is kept while you stay.</span>
      </Notice>
    );
  }
  if (!redaction.marking) return null;
  const { span, track } = redaction;
  const move = (end: 'start' | 'end') => {
    const now = player.video.current?.currentTime ?? 0;
    const other = end === 'start' ? (span?.end ?? player.duration) : (span?.start ?? 0);
    const next = spanOf(now, other);
    if (next) redaction.setSpan(next);
  };
  return (
    <section className="redact-bar row wrap" aria-label="Redact">
      <span className="grow" aria-live="polite">
        {span ? (
          <>
            Redact <strong className="numbers">{clockOf(span.start)}</strong> to{' '}
            <strong className="numbers">{clockOf(span.end)}</strong>
          </>
        ) : (
          'Drag over the timeline to choose what to redact.'
        )}
      </span>
      <Button look="quiet" onClick={() => move('start')}>
        Begin here
      </Button>
      <Button look="quiet" onClick={() => move('end')}>
        End here
      </Button>
      <select
        className="input"
        aria-label="What to redact"
        value={track}
        onChange={(event) => redaction.setTrack(event.target.value as RedactionTrack)}
      >
        {TRACKS.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <Button look="danger" disabled={span === null || redaction.sending} onClick={() => redaction.ask(true)}>
        Redact
      </Button>
      <Button look="quiet" onClick={redaction.leave}>
        Cancel
      </Button>
      {redaction.error ? <FailureNotice error={redaction.error} /> : null}
      <Confirm redaction={redaction} />
    </section>
  );
}

/** Tenths count here: a name is said in half a second. */
function clockOf(secs: number): string {
  return `${formatClock(Math.floor(secs))}.${Math.floor((secs % 1) * 10)}`;
}

function Confirm({ redaction }: { redaction: Redaction }) {
  const { span, track } = redaction;
  const what = { both: 'The picture is covered and the sound silenced', picture: 'The picture is covered', sound: 'The sound is silenced' };
  return (
    <ModalOverlay className="veil" isOpen={redaction.asking && span !== null} onOpenChange={redaction.ask} isDismissable>
      <Modal className="dialog">
        <Dialog role="alertdialog">
          <Heading slot="title">Redact this stretch for good?</Heading>
          {span ? (
            <p>
              {what[track]} from <strong className="numbers">{clockOf(span.start)}</strong> to{' '}
              <strong className="numbers">{clockOf(span.end)}</strong>, in the recording itself and in everything made of it. The
              earlier recording is deleted. This cannot be undone.
            </p>
          ) : null}
          <p className="muted">It takes about as long as the analysis did. The worker's rating and pay are not touched.</p>
          <div className="row">
            <Button look="danger" onClick={redaction.send} disabled={redaction.sending}>
              {redaction.sending ? 'Sending' : 'Redact for good'}
            </Button>
            <Button onClick={() => redaction.ask(false)}>Keep it</Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
