import { useInfiniteQuery } from '@tanstack/react-query';
import { submissions } from '../../api/admin';
import type { SubmissionRow } from '../../api/types/SubmissionRow';
import { FailureNotice } from '../../shared/FailureNotice';
import { formatAge, formatClock, formatWhen, words } from '../../shared/format';
import { Button, Chip, Empty, Loading, type Tone } from '../../shared/parts';
import { go, Link, usePlace } from '../../shared/router';

/** In the order of a submission's life; `''` shows them all. */
const STAGES = [
  ['ready', 'Waiting for review'],
  ['in_review', 'In review'],
  ['accepted', 'Accepted'],
  ['redo', 'Sent back for a revision'],
  ['rejected', 'Rejected'],
  ['sent_back', 'Sent back by the checks'],
  ['received', 'Received'],
  ['inspecting', 'Being inspected'],
  ['analysing', 'Being analysed'],
  ['quarantined', 'Quarantined'],
  ['failed', 'Failed'],
  ['withdrawn', 'Withdrawn'],
  ['all', 'All stages'],
] as const;

const VERDICT_TONES: Record<string, Tone> = { accept: 'good', review: 'warn', reject: 'bad' };

export function Queue() {
  const stage = usePlace().searchParams.get('stage') ?? 'ready';
  const list = useInfiniteQuery({
    queryKey: ['submissions', stage],
    queryFn: ({ pageParam }) => submissions.list(stage === 'all' ? null : stage, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: 30_000,
  });
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className="page">
      <div className="row spread wrap">
        <div>
          <h1>Takes</h1>
          <p className="muted">{countOf(rows.length, list.hasNextPage)}</p>
        </div>
        <div className="row">
          <label htmlFor="stage" className="muted">
            Stage
          </label>
          <select
            id="stage"
            className="input"
            value={stage}
            onChange={(event) => go(event.target.value === 'ready' ? '/admin' : `/admin?stage=${event.target.value}`)}
          >
            {STAGES.map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
          {rows[0] && stage === 'ready' ? (
            <Link className="button primary" href={`/admin/submissions/${rows[0].id}`}>
              Review the first
            </Link>
          ) : null}
        </div>
      </div>
      {list.isError ? <FailureNotice error={list.error} onRetry={() => void list.refetch()} /> : null}
      {list.isPending ? <Loading what="Loading the takes" /> : null}
      {list.isSuccess && rows.length === 0 ? <NoTakes stage={stage} /> : null}
      {rows.length > 0 ? <Rows rows={rows} showStage={stage === 'all'} /> : null}
      {list.hasNextPage ? (
        <Button className="more" onClick={() => void list.fetchNextPage()} disabled={list.isFetchingNextPage}>
          {list.isFetchingNextPage ? 'Loading more' : 'Load more'}
        </Button>
      ) : null}
    </div>
  );
}

function countOf(count: number, more: boolean): string {
  if (count === 0) return 'Recordings that workers handed in';
  return `${count}${more ? ' or more' : ''} ${count === 1 ? 'recording' : 'recordings'}`;
}

function NoTakes({ stage }: { stage: string }) {
  if (stage === 'ready') {
    return (
      <Empty title="Nothing waits for review">
        <span>New takes appear here by themselves once they have been inspected and analysed.</span>
      </Empty>
    );
  }
  return (
    <Empty title="No take is at this stage">
      <Link href="/admin">Show those waiting for review</Link>
    </Empty>
  );
}

function Rows({ rows, showStage }: { rows: SubmissionRow[]; showStage: boolean }) {
  const now = Date.now();
  return (
    <div className="card table-card">
      <table className="table queue">
        <thead>
          <tr>
            <th scope="col">Goal</th>
            {showStage ? <th scope="col">Stage</th> : null}
            <th scope="col">Tier</th>
            <th scope="col">Worker</th>
            <th scope="col">Verdict</th>
            <th scope="col">Flags</th>
            <th scope="col" className="end">
              Length
            </th>
            <th scope="col">Received</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <td>
                <Link className="goal-link" href={`/admin/submissions/${row.id}`}>
                  {row.goal}
                </Link>
                {row.attempt > 1 ? <span className="muted"> · attempt {row.attempt}</span> : null}
              </td>
              {showStage ? <td>{words(row.stage)}</td> : null}
              <td>{row.tier}</td>
              <td className="muted">{row.worker_alias}</td>
              <td>
                {row.verdict ? <Chip tone={VERDICT_TONES[row.verdict] ?? 'plain'}>{row.verdict}</Chip> : <span className="muted">none yet</span>}
              </td>
              <td>
                <span className="row wrap flag-chips">
                  {row.flags.length === 0 ? <span className="muted">none</span> : null}
                  {row.flags.map((flag) => (
                    <Chip key={flag}>{words(flag)}</Chip>
                  ))}
                </span>
              </td>
              <td className="end numbers">{row.duration_secs === null ? '' : formatClock(row.duration_secs)}</td>
              <td className="muted">
                <time dateTime={row.received_at} title={formatWhen(row.received_at)}>
                  {formatAge(row.received_at, now)}
                </time>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
