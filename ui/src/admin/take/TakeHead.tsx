import type { ConstraintFinding } from '../../api/types/ConstraintFinding';
import type { SubmissionDetail } from '../../api/types/SubmissionDetail';
import type { Summary } from '../../api/types/Summary';
import { formatClock, formatMoney, formatPercent, words } from '../../shared/format';
import { Chip, type Tone } from '../../shared/parts';
import { Link } from '../../shared/router';
import { Icon } from '../../shared/icons';

type Props = { take: SubmissionDetail; summary: Summary | null; steps: number | null; seek: (t: number) => void };

const VERDICT_TONES: Record<string, Tone> = { accept: 'good', review: 'warn', reject: 'bad' };

export function TakeHead({ take, summary, steps, seek }: Props) {
  const speech = take.report?.measurements.sound?.speech_share ?? null;
  return (
    <header className="take-head">
      <div className="take-goal">
        <Link href="/admin" className="muted" title="Back to the queue">
          Takes
        </Link>
        <span className="muted" aria-hidden="true">
          /
        </span>
        <h1>{take.goal}</h1>
      </div>
      <div className="row wrap take-facts">
        <Constraints take={take} summary={summary} seek={seek} />
        <span className="facts">
          <Fact name="Tier" value={take.tier} />
          <Fact name="Worker" value={take.worker_alias} />
          {take.attempt > 1 ? <Fact name="Attempt" value={String(take.attempt)} /> : null}
          {take.duration_secs === null ? null : <Fact name="Length" value={formatClock(take.duration_secs)} />}
          {speech === null ? null : <Fact name="Speech" value={formatPercent(speech)} />}
          {steps === null ? null : <Fact name="Steps" value={String(steps)} />}
          {take.pay === null ? null : <Fact name="Pay" value={formatMoney(take.pay.amount_cents, take.pay.currency)} />}
          {take.verdict ? <Chip tone={VERDICT_TONES[take.verdict] ?? 'plain'}>Checks: {words(take.verdict)}</Chip> : null}
        </span>
      </div>
    </header>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <span className="fact">
      <span className="muted">{name}</span> <span className="numbers">{value}</span>
    </span>
  );
}

function Constraints({ take, summary, seek }: Omit<Props, 'steps'>) {
  const found = summary?.constraints ?? [];
  if (take.constraints.length === 0) return null;
  return (
    <ul className="row wrap constraints" aria-label="What the goal demands">
      {take.constraints.map((constraint) => {
        const finding = found.find((one) => one.kind === constraint.kind && one.text === constraint.text);
        return (
          <li key={`${constraint.kind} ${constraint.text}`}>
            <ConstraintChip text={constraint.text} kind={constraint.kind} finding={finding} seek={seek} />
          </li>
        );
      })}
    </ul>
  );
}

type ChipProps = { text: string; kind: string; finding: ConstraintFinding | undefined; seek: (t: number) => void };

/** Green with a tick where the recording shows it; then a click goes to the first place that does. */
function ConstraintChip({ text, kind, finding, seek }: ChipProps) {
  const first = finding?.touched ? finding.evidence[0] : undefined;
  if (!first) return <Chip title={finding ? `${kind}: not seen in the recording` : kind}>{text}</Chip>;
  return (
    <button
      type="button"
      className="chip good"
      title={`${kind}: ${first.text} (${first.source})`}
      onClick={() => seek(first.t)}
    >
      <Icon name="check" size={11} />
      {text}
      <span className="visually-hidden">, found at {formatClock(first.t)}</span>
    </button>
  );
}
