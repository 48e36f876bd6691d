import { audit } from '../../api/admin';
import type { AuditRow } from '../../api/types/AuditRow';
import { formatWhen, words } from '../../shared/format';
import { type Column, Listing, ListPage, NoItems } from './Listing';

const COLUMNS: ReadonlyArray<Column<AuditRow>> = [
  { name: 'No.', end: true, cell: (entry) => entry.seq },
  { name: 'When', cell: (entry) => <span className="muted">{formatWhen(entry.at)}</span> },
  { name: 'Who', cell: (entry) => entry.who },
  { name: 'Act', cell: (entry) => words(entry.act) },
  { name: 'To what', cell: (entry) => <span className="mono">{entry.subject}</span> },
  { name: 'In words', cell: (entry) => (entry.address === null ? entry.what : `${entry.what}, from ${entry.address}`) },
  { name: 'Before, after', cell: (entry) => <States entry={entry} /> },
  { name: 'Hash', cell: (entry) => <span className="mono muted" title={entry.sha256}>{entry.sha256.slice(0, 8)}</span> },
];

/** What was changed, by the hash of what it was and is: nothing where the act changed nothing. */
function States({ entry }: { entry: AuditRow }) {
  const { state_before_sha256: before, state_after_sha256: after } = entry;
  if (before === null && after === null) {
    return null;
  }
  const short = (hash: string | null) => (hash === null ? 'none' : hash.slice(0, 8));
  return (
    <span className="mono muted" title={`${before ?? 'none'} → ${after ?? 'none'}`}>
      {short(before)} → {short(after)}
    </span>
  );
}

export function Audit() {
  return (
    <ListPage
      title="Audit log"
      about="What people with power did, newest first. Each entry holds the hash of the one before it; ingest-server audit tells whether one was touched."
    >
      <Listing
        name="audit"
        load={audit}
        columns={COLUMNS}
        keyOf={(entry) => String(entry.seq)}
        loading="Loading the audit log"
        empty={<NoItems title="Nothing was done yet" />}
      />
    </ListPage>
  );
}
