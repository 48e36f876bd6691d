import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { people } from '../../api/admin';
import type { AdminRow } from '../../api/types/AdminRow';
import { FailureNotice } from '../../shared/FailureNotice';
import { formatWhen, words } from '../../shared/format';
import { Button, Chip, Notice } from '../../shared/parts';
import { type Column, Listing, ListPage, NoItems } from './Listing';

const columns = (me: string): ReadonlyArray<Column<AdminRow>> => [
  { name: 'E-mail', cell: (person) => person.email },
  { name: 'Role', cell: (person) => words(person.role) },
  {
    name: 'Second factor',
    cell: (person) => (person.has_second_factor ? <Chip tone="good">yes</Chip> : <Chip tone="warn">none</Chip>),
  },
  { name: 'Since', cell: (person) => <span className="muted">{formatWhen(person.created_at)}</span> },
  { name: '', cell: (person) => (person.email === me ? <span className="muted">you</span> : <Acts person={person} />) },
];

export function People({ me }: { me: string }) {
  return (
    <ListPage title="People" about="Who may review and administer. A login is made on the server, with ingest-server admin create.">
      <Listing
        name="people"
        load={people.list}
        columns={columns(me)}
        keyOf={(person) => person.id}
        loading="Loading the people"
        empty={<NoItems title="There is nobody" />}
      />
    </ListPage>
  );
}

/** Both ask first: neither can be taken back. */
function Acts({ person }: { person: AdminRow }) {
  const client = useQueryClient();
  const [asks, setAsks] = useState<'login' | 'factor' | null>(null);
  const act = useMutation({
    mutationFn: (what: 'login' | 'factor') =>
      what === 'login' ? people.remove(person.id) : people.removeSecondFactor(person.id),
    onSettled: () => {
      setAsks(null);
      return client.invalidateQueries({ queryKey: ['people'] });
    },
  });
  if (act.isError) return <FailureNotice error={act.error} onRetry={() => act.reset()} />;
  if (asks !== null) {
    const title = asks === 'login' ? `Take the login of ${person.email} away?` : `Take the second factor of ${person.email} away?`;
    return (
      <Notice tone="bad" title={title}>
        <span>
          {asks === 'login'
            ? 'They are out at once. What they did stays in the log.'
            : 'Only the password protects this login until they add an app again. Be sure that it is they who asked.'}
        </span>
        <div className="row">
          <Button look="danger" onClick={() => act.mutate(asks)} disabled={act.isPending}>
            Take away
          </Button>
          <Button onClick={() => setAsks(null)}>Keep</Button>
        </div>
      </Notice>
    );
  }
  return (
    <div className="row">
      {person.has_second_factor ? <Button onClick={() => setAsks('factor')}>Lost their app</Button> : null}
      <Button onClick={() => setAsks('login')}>Remove</Button>
    </div>
  );
}
