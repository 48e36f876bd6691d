import { useQuery } from '@tanstack/react-query';
import type { AssignmentItem } from '../api/types/AssignmentItem';
import { formatClock, formatMoney, formatWhen } from '../shared/format';
import { Button, Chip, Empty, Loading, Notice } from '../shared/parts';
import { type Queue, recorder, type Take } from './bridge';
import { Page, TroubleNotice } from './Page';
import { canRecord, goalWords, spellSecs } from './words';

type Props = { takes: Take[]; queue: Queue | undefined; isWithdrawn: boolean; onInvite: () => void; onRecord: (goal: AssignmentItem) => void; onTake: (take: Take) => void };

const narration = { none: 'Talk if you like', required: 'Think aloud', detailed: 'Explain every step aloud' } as const;

export function Goals({ takes, queue, isWithdrawn, onInvite, onRecord, onTake }: Props) {
  const goals = useQuery({ queryKey: ['goals'], queryFn: recorder.goals });
  const waits = (take: Take) => queue?.takes.some((queued) => queued.take === take.id) ?? false;
  const unsent = takes.filter((take) => !['capturing', 'confirmed', 'discarded', 'broken'].includes(take.stage) && !waits(take));
  return (
    <Page id="goals" title="Your goals" lead="Choose one, then shop for it as you would for yourself.">
      {unsent.map((take) => (
        <Notice key={take.id} tone="info" title={take.recovered ? 'A recording was cut short and has been saved.' : 'A recording has not been sent in yet.'}>
          <span>
            {take.assignment.goal} ({formatClock(take.secs)})
          </span>
          <Button onClick={() => onTake(take)} data-testid="unsent">
            Look at it
          </Button>
        </Notice>
      ))}
      {isWithdrawn ? (
        <Notice tone="warn" title="You withdrew your consent.">
          <span>Nothing more is recorded or sent in. With a new invite you can begin anew.</span>
          <Button onClick={onInvite}>I have a new invite</Button>
        </Notice>
      ) : null}
      {goals.isPending ? <Loading what="Asking for your goals" /> : null}
      {goals.error ? <TroubleNotice error={goals.error} onRetry={() => void goals.refetch()} /> : null}
      {goals.data?.length === 0 ? (
        <Empty title="There are no goals for you now">
          <span>Goals appear here when your order has some. Ask the person who invited you, or look again later.</span>
          <Button onClick={() => void goals.refetch()}>Look again</Button>
        </Empty>
      ) : null}
      <ul className="goals" aria-label="Goals">
        {goals.data?.toSorted((a, b) => Number(canRecord(b.stage)) - Number(canRecord(a.stage))).map((goal) => <Goal key={goal.id} goal={goal} mayRecord={!isWithdrawn && canRecord(goal.stage)} onRecord={onRecord} />)}
      </ul>
    </Page>
  );
}

function Goal({ goal, mayRecord, onRecord }: { goal: AssignmentItem; mayRecord: boolean; onRecord: (goal: AssignmentItem) => void }) {
  const { word, tone } = goalWords[goal.stage];
  return (
    <li className="card goal" data-testid="goal" data-stage={goal.stage}>
      <div className="stack tight">
        <h2>{goal.goal}</h2>
        <div className="row wrap">
          <Chip tone={tone}>{word}</Chip>
          {goal.constraints.map((constraint) => (
            <Chip key={`${constraint.kind} ${constraint.text}`} title={constraint.kind}>
              {constraint.text}
            </Chip>
          ))}
        </div>
        <p className="muted">
          {narration[goal.policy.narration]}, at least {spellSecs(goal.policy.min_active_secs)}
          {goal.expires_at ? `, until ${formatWhen(goal.expires_at)}` : ''}
        </p>
      </div>
      <div className="goal-end">
        <strong className="pay">{formatMoney(goal.pay.amount_cents, goal.pay.currency)}</strong>
        {mayRecord ? (
          <Button look="primary" large onClick={() => onRecord(goal)} aria-label={`Record: ${goal.goal}`} data-testid="record">
            Record
          </Button>
        ) : null}
      </div>
    </li>
  );
}
