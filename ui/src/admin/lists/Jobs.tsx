import { jobs } from '../../api/admin';
import type { JobRow } from '../../api/types/JobRow';
import type { JobStage } from '../../api/types/JobStage';
import { formatWhen, words } from '../../shared/format';
import { Chip, type Tone } from '../../shared/parts';
import { Link } from '../../shared/router';
import { type Column, Listing, ListPage, NoItems } from './Listing';

const TONES: Record<JobStage, Tone> = { queued: 'plain', leased: 'info', done: 'good', dead: 'bad', cancelled: 'plain' };

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
  { name: 'Attempt', end: true, cell: (job) => job.attempt },
  { name: 'Last error', cell: (job) => <span className="job-error">{job.last_error ?? ''}</span> },
  { name: 'Changed', cell: (job) => <span className="muted">{formatWhen(job.updated_at)}</span> },
];

const REFETCH_MILLIS = 10_000;

export function Jobs() {
  return (
    <ListPage title="Jobs" about="Machine work on takes: inspect, then analyse; export on demand.">
      <Listing
        name="jobs"
        load={jobs}
        columns={COLUMNS}
        keyOf={(job) => job.id}
        loading="Loading the jobs"
        refetchMillis={REFETCH_MILLIS}
        empty={
          <NoItems title="There are no jobs">
            <span>A take that is handed in makes the first.</span>
          </NoItems>
        }
      />
    </ListPage>
  );
}
