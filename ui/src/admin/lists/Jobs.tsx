import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { jobs } from '../../api/admin';
import type { DrainAction } from '../../api/types/DrainAction';
import type { JobRow } from '../../api/types/JobRow';
import type { JobStage } from '../../api/types/JobStage';
import { FailureNotice } from '../../shared/FailureNotice';
import { formatWhen, words } from '../../shared/format';
import { Button, Chip, Field, Notice, type Tone } from '../../shared/parts';
import { Link } from '../../shared/router';
import { type Column, Listing, ListPage, NoItems } from './Listing';

const TONES: Record<JobStage, Tone> = { queued: 'plain', leased: 'info', done: 'good', dead: 'bad', cancelled: 'plain' };
const STAGES = Object.keys(TONES) as JobStage[];

const COLUMNS: ReadonlyArray<Column<JobRow>> = [
  { name: 'Kind', cell: (job) => words(job.kind) },
  { name: 'Stage', cell: (job) => <Chip tone={TONES[job.stage]}>{words(job.stage)}</Chip> },
  {
    name: 'Take',
    cell: (job) =>
      job.submission_id === null ? (
        <span className="muted">none</span>
      ) : (
        <Link href={`/admin/submissions/${job.submission_id}`} className="mono">
          {job.submission_id}
        </Link>
      ),
  },
  { name: 'Machine', cell: (job) => <span className="muted">{job.worker ?? ''}</span> },
  { name: 'Attempt', end: true, cell: (job) => `${job.attempt} of ${job.max_attempts}` },
  { name: 'Last error', cell: (job) => <span className="job-error">{job.last_error ?? ''}</span> },
  { name: 'Next', cell: (job) => <span className="muted">{job.stage === 'queued' ? formatWhen(job.run_at) : ''}</span> },
  { name: 'Changed', cell: (job) => <span className="muted">{formatWhen(job.updated_at)}</span> },
  { name: 'Again', cell: (job) => (job.stage === 'dead' ? <Retry job={job} /> : null) },
];

const REFETCH_MILLIS = 10_000;

export function Jobs() {
  const [stage, setStage] = useState<JobStage | null>(null);
  return (
    <ListPage
      title="Jobs"
      about="Machine work on takes: inspect, then analyse; export on demand. A job that keeps failing is dead until you queue it again."
    >
      <div className="row wrap job-choice">
        <Field id="stage" label="Stage">
          <select
            id="stage"
            className="input"
            value={stage ?? ''}
            onChange={(event) => setStage(STAGES.find((known) => known === event.target.value) ?? null)}
          >
            <option value="">All</option>
            {STAGES.map((known) => (
              <option key={known} value={known}>
                {words(known)}
              </option>
            ))}
          </select>
        </Field>
        {stage === 'dead' ? <Drain /> : null}
      </div>
      <Listing
        name="jobs"
        part={stage}
        load={(cursor) => jobs.list(stage, cursor)}
        columns={COLUMNS}
        keyOf={(job) => job.id}
        loading="Loading the jobs"
        refetchMillis={REFETCH_MILLIS}
        empty={
          stage === null ? (
            <NoItems title="There are no jobs">
              <span>A take that is handed in makes the first.</span>
            </NoItems>
          ) : (
            <NoItems title={`No job is ${words(stage).toLowerCase()}`} />
          )
        }
      />
    </ListPage>
  );
}

function Retry({ job }: { job: JobRow }) {
  const client = useQueryClient();
  const retry = useMutation({
    mutationFn: () => jobs.retry(job.id),
    onSettled: () => client.invalidateQueries({ queryKey: ['jobs'] }),
  });
  if (retry.isError) return <FailureNotice error={retry.error} onRetry={() => retry.mutate()} />;
  return (
    <Button onClick={() => retry.mutate()} disabled={retry.isPending} aria-label={`Queue ${words(job.kind)} again`}>
      {retry.isPending ? 'Queueing' : 'Retry'}
    </Button>
  );
}

/** All dead jobs at once. Giving up asks first: it cannot be taken back. */
function Drain() {
  const client = useQueryClient();
  const [asks, setAsks] = useState(false);
  const drain = useMutation({
    mutationFn: (action: DrainAction) => jobs.drain({ action, kind: null }),
    onSettled: () => {
      setAsks(false);
      return client.invalidateQueries({ queryKey: ['jobs'] });
    },
  });
  return (
    <>
      <Button onClick={() => drain.mutate('retry')} disabled={drain.isPending}>
        Retry all
      </Button>
      {asks ? (
        <Notice tone="bad" title="Give up all dead jobs?">
          <span>They leave this list for good, and their takes stay failed.</span>
          <div className="row">
            <Button look="danger" onClick={() => drain.mutate('cancel')} disabled={drain.isPending}>
              Give up
            </Button>
            <Button onClick={() => setAsks(false)}>Keep them</Button>
          </div>
        </Notice>
      ) : (
        <Button onClick={() => setAsks(true)} disabled={drain.isPending}>
          Give up all
        </Button>
      )}
      {drain.isError ? <FailureNotice error={drain.error} /> : null}
      {drain.data ? <Done {...drain.data} /> : null}
    </>
  );
}

function Done({ count, left }: { count: number; left: number }) {
  const rest = left > 0 ? ` ${left} stayed, because their takes went another way meanwhile.` : '';
  return <Notice tone="good">{`${count} of the dead jobs were moved.${rest}`}</Notice>;
}
