import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { erasures, workers } from '../../api/admin';
import type { ErasureView } from '../../api/types/ErasureView';
import type { WorkerRow } from '../../api/types/WorkerRow';
import { FailureNotice } from '../../shared/FailureNotice';
import { formatBytes, formatWhen, words } from '../../shared/format';
import { Button, Chip, Notice } from '../../shared/parts';
import { type Column, Listing, ListPage, NoItems } from './Listing';

const workerColumns: ReadonlyArray<Column<WorkerRow>> = [
  { name: 'Alias', cell: (worker) => worker.alias },
  { name: 'Name', cell: (worker) => worker.name },
  { name: 'Fiverr', cell: (worker) => worker.fiverr_user || <span className="muted">none</span> },
  { name: 'Stage', cell: (worker) => <Chip tone={worker.stage === 'active' ? 'good' : 'plain'}>{words(worker.stage)}</Chip> },
  { name: 'Since', cell: (worker) => <span className="muted">{formatWhen(worker.created_at)}</span> },
  { name: '', cell: (worker) => (worker.stage === 'erased' ? null : <Erase worker={worker} />) },
];

const erasureColumns: ReadonlyArray<Column<ErasureView>> = [
  { name: 'Alias', cell: (one) => one.alias },
  { name: 'Asked', cell: (one) => <span className="muted">{formatWhen(one.asked_at)}</span> },
  { name: 'Recordings', end: true, cell: (one) => `${one.takes}, ${formatBytes(one.bytes)}` },
  { name: 'Done', cell: (one) => (one.done_at === null ? <Waiting erasure={one} /> : formatWhen(one.done_at)) },
];

export function Workers() {
  return (
    <ListPage title="Workers" about="Everybody who registered, by name. That you read this is in the audit log.">
      <Listing
        name="workers"
        load={workers}
        columns={workerColumns}
        keyOf={(worker) => worker.id}
        loading="Loading the workers"
        empty={<NoItems title="Nobody registered yet">Make invites and send them out.</NoItems>}
      />
      <h2>Erasures</h2>
      <Listing
        name="erasures"
        load={erasures.list}
        columns={erasureColumns}
        keyOf={(one) => one.id}
        loading="Loading the erasures"
        empty={<NoItems title="Nobody asked for an erasure" />}
      />
    </ListPage>
  );
}

/** Asks first: it cannot be taken back. */
function Erase({ worker }: { worker: WorkerRow }) {
  const client = useQueryClient();
  const [asks, setAsks] = useState(false);
  const erase = useMutation({
    mutationFn: () => erasures.ask({ worker_id: worker.id }),
    onSettled: () => setAsks(false),
    onSuccess: () => Promise.all(['workers', 'erasures'].map((name) => client.invalidateQueries({ queryKey: [name] }))),
  });
  if (erase.isError) return <FailureNotice error={erase.error} onRetry={() => erase.reset()} />;
  if (!asks) return <Button onClick={() => setAsks(true)}>Erase</Button>;
  return (
    <Notice tone="bad" title={`Erase everything of ${worker.alias}?`}>
      <span>
        The recordings and all that was made of them go at once, and leave every dataset published from now on. The name stays until what is
        owed is paid, a month at most. This cannot be taken back.
      </span>
      <div className="row">
        <Button look="danger" onClick={() => erase.mutate()} disabled={erase.isPending}>
          {erase.isPending ? 'Erasing' : 'Erase'}
        </Button>
        <Button onClick={() => setAsks(false)}>Keep</Button>
      </div>
    </Notice>
  );
}

function Waiting({ erasure }: { erasure: ErasureView }) {
  const client = useQueryClient();
  const finish = useMutation({
    mutationFn: () => erasures.finish(erasure.id),
    onSuccess: () => Promise.all(['workers', 'erasures'].map((name) => client.invalidateQueries({ queryKey: [name] }))),
  });
  if (finish.isError) return <FailureNotice error={finish.error} onRetry={() => finish.reset()} />;
  return (
    <div className="row">
      <span>{erasure.is_owed_pay ? `Pay is owed: the name goes on ${formatWhen(erasure.due_at)}` : 'Goes on by itself'}</span>
      <Button onClick={() => finish.mutate()} disabled={finish.isPending}>
        Paid: erase the name
      </Button>
    </div>
  );
}
