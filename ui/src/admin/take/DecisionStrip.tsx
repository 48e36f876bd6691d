import type { Reason } from '../../api/types/Reason';
import type { SubmissionDetail } from '../../api/types/SubmissionDetail';
import { FailureNotice } from '../../shared/FailureNotice';
import { formatMoney, words } from '../../shared/format';
import { Button, Notice } from '../../shared/parts';
import { type Answer, type Draft, type Item, ITEMS, outcomeOf, RATINGS, REASONS } from './decision';
import type { Decision } from './useDecision';

type Props = {
  take: SubmissionDetail;
  draft: Draft;
  setDraft: (change: (now: Draft) => Draft) => void;
  decision: Decision;
  leave: () => void;
  addMark: () => void;
};

export function DecisionStrip({ take, draft, setDraft, decision, leave }: Props) {
  if (!decision.open && !decision.stale) return <Decided take={take} leave={leave} />;
  const needsReason = draft.rating !== null && draft.rating <= 2;
  return (
    <section className="decision" aria-label="Decision">
      <Trouble decision={decision} />
      <div className="decision-body">
        <div className="checklist">
          {ITEMS.map(({ item, label, key, mayLack }) => (
            <Question
              key={item}
              item={item}
              label={label}
              hotkey={key}
              mayLack={mayLack}
              answer={draft.checklist[item]}
              choose={(answer) => setDraft((now) => ({ ...now, checklist: { ...now.checklist, [item]: answer } }))}
            />
          ))}
        </div>
        <div className="verdict-column">
          <Rating rating={draft.rating} choose={(rating) => setDraft((now) => ({ ...now, rating }))} />
          <div className="row outcome-row">
            <p className={draft.rating === null ? 'muted' : 'outcome'} aria-live="polite">
              {outcomeOf(draft.rating, take.pay)}
            </p>
            {needsReason ? (
              <select
                className="input reason"
                aria-label="Reason"
                value={draft.reason ?? ''}
                onChange={(event) => setDraft((now) => ({ ...now, reason: (event.target.value || null) as Reason | null }))}
              >
                <option value="">Choose a reason</option>
                {Object.entries(REASONS).map(([code, name]) => (
                  <option key={code} value={code}>
                    {name}
                  </option>
                ))}
              </select>
            ) : null}
          </div>
        </div>
        <textarea
          className="input note"
          aria-label="Note to the worker"
          placeholder="Note to the worker"
          maxLength={4000}
          value={draft.note}
          onChange={(event) => setDraft((now) => ({ ...now, note: event.target.value }))}
        />
        <div className="send-column">
          <Button
            look="primary"
            className="send"
            onClick={decision.send}
            aria-disabled={decision.problem !== null || decision.sending}
          >
            {decision.sending ? 'Sending' : 'Send and go on'}
          </Button>
          <Button look="quiet" onClick={leave} title="I">
            Skip
          </Button>
          <p className={decision.pressed && decision.problem ? 'tone-bad small' : 'muted small'} aria-live="polite">
            {decision.problem ?? 'Enter sends it.'}
          </p>
        </div>
      </div>
    </section>
  );
}

function Trouble({ decision }: { decision: Decision }) {
  if (decision.stale) {
    return (
      <Notice tone="warn" title="This take was changed while you had it open.">
        <span>Your decision was not saved; what you typed is kept. Load what changed, look at it, then send again.</span>
        <Button onClick={decision.renew}>Load what changed</Button>
      </Notice>
    );
  }
  return decision.error ? <FailureNotice error={decision.error} /> : null;
}

type QuestionProps = {
  item: Item;
  label: string;
  hotkey: string;
  mayLack: boolean;
  answer: Answer;
  choose: (answer: Answer) => void;
};

function Question({ item, label, hotkey, mayLack, answer, choose }: QuestionProps) {
  const choices: ReadonlyArray<readonly [Answer, string]> = [
    [true, 'Yes'],
    [false, 'No'],
    ...(mayLack ? [['na', 'n/a'] as const] : []),
  ];
  return (
    <fieldset className="question">
      <legend className="visually-hidden">{label}</legend>
      <span aria-hidden="true" className="question-label">
        <kbd>{hotkey}</kbd> {label}
      </span>
      <span className="segments">
        {choices.map(([value, name]) => (
          <label key={name} className={`segment ${answer === value ? (value === false ? 'no' : 'yes') : ''}`}>
            <input
              type="radio"
              className="visually-hidden"
              name={item}
              checked={answer === value}
              onChange={() => choose(value)}
            />
            {name}
          </label>
        ))}
      </span>
    </fieldset>
  );
}

function Rating({ rating, choose }: { rating: number | null; choose: (rating: number) => void }) {
  return (
    <fieldset className="rating">
      <legend className="visually-hidden">Rating</legend>
      {RATINGS.map((one) => (
        <label key={one.rating} className={`rate r${one.rating} ${rating === one.rating ? 'on' : ''}`}>
          <input
            type="radio"
            className="visually-hidden"
            name="rating"
            value={one.rating}
            checked={rating === one.rating}
            onChange={() => choose(one.rating)}
          />
          <span className="rate-number numbers">{one.rating}</span>
          <span className="rate-words">
            <span>{one.word}</span>
            <span className="rate-result">{one.result}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** For a take that waits for no decision: what became of it. */
function Decided({ take, leave }: { take: SubmissionDetail; leave: () => void }) {
  const rated = RATINGS.find(({ rating }) => rating === take.rating);
  return (
    <section className="decision decided row spread" aria-label="Decision">
      <p>
        <strong>{stageWords(take)}</strong>
        {rated ? ` · rating ${rated.rating}, ${rated.word.toLowerCase()}` : null}
        {take.payout
          ? ` · ${formatMoney(take.payout.amount.amount_cents, take.payout.amount.currency)} ${words(take.payout.stage)}`
          : null}
      </p>
      <Button onClick={leave}>{take.next_id ? 'Next take' : 'Back to the queue'}</Button>
    </section>
  );
}

function stageWords({ stage }: SubmissionDetail): string {
  switch (stage) {
    case 'accepted':
      return 'Accepted';
    case 'rejected':
      return 'Rejected';
    case 'redo':
      return 'Sent back for a revision';
    case 'sent_back':
      return 'Sent back by the checks';
    case 'received':
    case 'inspecting':
    case 'analysing':
      return 'Not ready for review yet: the machines are at work on it';
    default:
      return words(stage).replace(/^./, (letter) => letter.toUpperCase());
  }
}
