import { useQuery } from '@tanstack/react-query';
import type { AssignmentItem } from '../api/types/AssignmentItem';
import { formatClock, formatMoney, formatWhen } from '../shared/format';
import { Button, Chip, Empty, Loading } from '../shared/parts';
import { type Handed, type Left, recorder } from './bridge';
import { MyData } from './MyData';
import { Page, TroubleNotice } from './Page';
import { canRecord, reasonWords, submissionWords } from './words';

type Props = { hasLeft: boolean; onRecord: (goal: AssignmentItem) => void; onLeft: (left: Left) => void };

const LOOK_AGAIN_MILLIS = 15_000;

export function Status({ hasLeft, onRecord, onLeft }: Props) {
  const handed = useQuery({ queryKey: ['submissions'], queryFn: recorder.submissions, refetchInterval: LOOK_AGAIN_MILLIS });
  return (
    <Page id="status" title="What you sent in" lead="This list looks again by itself.">
      {handed.isPending ? <Loading what="Asking the server" /> : null}
      {handed.error ? <TroubleNotice error={handed.error} onRetry={() => void handed.refetch()} /> : null}
      {handed.data?.length === 0 ? (
        <Empty title="Nothing yet">
          <span>Once you have sent in a recording, you see here what becomes of it.</span>
        </Empty>
      ) : null}
      <ul className="goals" aria-label="Recordings that were sent in">
        {handed.data?.map((one) => <Submission key={one.view.id} one={one} onRecord={onRecord} />)}
      </ul>
      <MyData hasLeft={hasLeft} onLeft={onLeft} />
    </Page>
  );
}

function Submission({ one: { assignment, view }, onRecord }: { one: Handed; onRecord: (goal: AssignmentItem) => void }) {
  const said = submissionWords[view.stage];
  const back = view.stage === 'sent_back' || view.stage === 'redo' || view.stage === 'rejected';
  return (
    <li className="card goal" data-testid="submission" data-stage={view.stage}>
      <div className="stack tight">
        <h2>{assignment.goal}</h2>
        <div className="row wrap">
          <Chip tone={said.tone}>{said.word}</Chip>
          <span className="muted">{formatWhen(view.received_at)}</span>
          {view.attempt > 1 ? <span className="muted">attempt {view.attempt}</span> : null}
        </div>
        <p>{said.next}</p>
        {back ? (
          <ul className="advice" aria-label="Reasons">
            {view.reason ? <li>{reasonWords[view.reason]}</li> : null}
            {view.stage === 'sent_back' ? view.report?.flags.filter((flag) => flag.verdict === 'reject').map((flag) => <li key={flag.flag}>{flag.sentence}</li>) : null}
            {view.marks.map((mark) => (
              <li key={`${mark.t} ${mark.text}`}>
                At {formatClock(mark.t)}: {mark.text}
              </li>
            ))}
          </ul>
        ) : null}
        {view.note ? <blockquote className="note">{view.note}</blockquote> : null}
      </div>
      <div className="goal-end">
        {view.payout ? <strong className="pay">{formatMoney(view.payout.amount.amount_cents, view.payout.amount.currency)}</strong> : null}
        {view.rating ? <span className="muted">{view.rating} of 5</span> : null}
        {back && canRecord(assignment.stage) ? <Button onClick={() => onRecord(assignment)}>Record again</Button> : null}
      </div>
    </li>
  );
}
