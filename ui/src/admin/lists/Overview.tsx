import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { stats } from '../../api/admin';
import type { Stats } from '../../api/types/Stats';
import { FailureNotice } from '../../shared/FailureNotice';
import { formatBytes, formatMoney, formatWhen, words } from '../../shared/format';
import { Loading, Notice } from '../../shared/parts';
import { Link } from '../../shared/router';
import { ListPage } from './Listing';

const REFETCH_MILLIS = 15_000;

export function Overview() {
  const counted = useQuery({ queryKey: ['stats'], queryFn: stats, refetchInterval: REFETCH_MILLIS });
  return (
    <ListPage title="Overview" about="How much of everything there is, and what waits.">
      {counted.isPending ? (
        <Loading what="Counting" />
      ) : counted.isError ? (
        <FailureNotice error={counted.error} onRetry={() => void counted.refetch()} />
      ) : (
        <Counted stats={counted.data} />
      )}
    </ListPage>
  );
}

function Counted({ stats }: { stats: Stats }) {
  const dead = stats.jobs.filter(({ stage }) => stage === 'dead').reduce((sum, { count }) => sum + count, 0);
  return (
    <>
      {stats.is_full ? (
        <Notice tone="bad" title="The disk is nearly full, so no uploads are taken.">
          <span>Make room in the data folder; workers' recorders try again by themselves.</span>
        </Notice>
      ) : null}
      {dead > 0 ? (
        <Notice tone="warn" title={dead === 1 ? 'One job is dead.' : `${dead} jobs are dead.`}>
          <Link href="/admin/jobs">Look at what they say, mend it, and queue them again.</Link>
        </Notice>
      ) : null}
      <div className="overview">
        <Counts title="Takes" none="None yet" rows={stats.submissions.map(({ stage, count }) => [words(stage), String(count)])} />
        <Counts
          title="Payouts"
          none="Nothing is owed yet"
          rows={stats.payouts.map(({ stage, count, amount }) => [
            `${words(stage)}, ${count}`,
            formatMoney(amount.amount_cents, amount.currency),
          ])}
        />
        <Counts
          title="Jobs"
          none="None yet"
          rows={stats.jobs.map(({ kind, stage, count }) => [`${words(kind)}, ${words(stage).toLowerCase()}`, String(count)])}
        />
        <Counts
          title="Uploads"
          none="None yet"
          rows={[
            ...stats.uploads.map(({ stage, count, bytes }): [string, string] => [`${words(stage)}, ${count}`, formatBytes(bytes)]),
            ['Free on the disk', formatBytes(stats.free_bytes)],
          ]}
        />
      </div>
      <p className="muted">
        Counted {formatWhen(stats.counted_at)}
        {stats.oldest_job_at === null ? '' : `. The oldest job waits since ${formatWhen(stats.oldest_job_at)}`}.
      </p>
    </>
  );
}

function Counts({ title, none, rows }: { title: string; none: ReactNode; rows: ReadonlyArray<readonly string[]> }) {
  return (
    <section className="card stack" aria-label={title}>
      <h2>{title}</h2>
      {rows.length === 0 ? (
        <p className="muted">{none}</p>
      ) : (
        <table className="table">
          <tbody>
            {rows.map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td className="end numbers">{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
