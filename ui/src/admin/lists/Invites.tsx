import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { campaigns, invites } from '../../api/admin';
import type { CampaignView } from '../../api/types/CampaignView';
import type { InviteView } from '../../api/types/InviteView';
import { FailureNotice } from '../../shared/FailureNotice';
import { formatWhen } from '../../shared/format';
import { Button, Chip, Field, Notice } from '../../shared/parts';
import { type Column, Listing, ListPage, NoItems } from './Listing';

const MOST_AT_ONCE = 100;

function stateOf(invite: InviteView) {
  if (invite.used_at) return <Chip tone="good">used</Chip>;
  const over = new Date(invite.expires_at).getTime() < Date.now();
  return over ? <Chip>run out</Chip> : <Chip tone="info">open</Chip>;
}

const COLUMNS: ReadonlyArray<Column<InviteView>> = [
  { name: 'Tier', cell: (invite) => invite.tier },
  { name: 'State', cell: stateOf },
  { name: 'Made', cell: (invite) => formatWhen(invite.created_at) },
  { name: 'Used', cell: (invite) => (invite.used_at ? formatWhen(invite.used_at) : '') },
  { name: 'Runs out', cell: (invite) => <span className="muted">{formatWhen(invite.expires_at)}</span> },
];

export function Invites() {
  const known = useQuery({ queryKey: ['campaigns'], queryFn: () => campaigns(null) });
  return (
    <ListPage title="Invites" about="A code lets one worker join with one order. It goes on the order page, nowhere else.">
      {known.isError ? <FailureNotice error={known.error} onRetry={() => void known.refetch()} /> : null}
      {known.data && known.data.items.length > 0 ? <InviteForm campaigns={known.data.items} /> : null}
      <Listing
        name="invites"
        load={invites.list}
        columns={COLUMNS}
        keyOf={(invite) => invite.id}
        loading="Loading the invites"
        empty={
          <NoItems title="Nobody was invited yet">
            <span>Make a code for each order.</span>
          </NoItems>
        }
      />
    </ListPage>
  );
}

function InviteForm({ campaigns: known }: { campaigns: CampaignView[] }) {
  const client = useQueryClient();
  const [campaignId, setCampaignId] = useState(known[0]?.id ?? '');
  const campaign = known.find(({ id }) => id === campaignId) ?? known[0];
  const [tier, setTier] = useState(campaign?.tiers[0]?.name ?? '');
  const [count, setCount] = useState(1);
  const make = useMutation({
    mutationFn: () => invites.create({ campaign_id: campaignId, tier, count }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['invites'] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <section className="card stack" aria-label="Make invites">
      <form className="row wrap invite-form" onSubmit={submit}>
        <Field id="campaign" label="Campaign">
          <select
            id="campaign"
            className="input"
            value={campaignId}
            onChange={(event) => {
              setCampaignId(event.target.value);
              setTier(known.find(({ id }) => id === event.target.value)?.tiers[0]?.name ?? '');
            }}
          >
            {known.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </Field>
        <Field id="tier" label="Tier">
          <select id="tier" className="input" value={tier} onChange={(event) => setTier(event.target.value)}>
            {campaign?.tiers.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </Field>
        <Field id="count" label="How many">
          <input
            id="count"
            className="input numbers"
            type="number"
            min={1}
            max={MOST_AT_ONCE}
            required
            value={count}
            onChange={(event) => setCount(event.target.valueAsNumber || 1)}
          />
        </Field>
        <Button type="submit" look="primary" disabled={make.isPending}>
          Make the codes
        </Button>
      </form>
      {make.isError ? <FailureNotice error={make.error} /> : null}
      {make.data ? <Codes codes={make.data.codes} /> : null}
    </section>
  );
}

function Codes({ codes }: { codes: string[] }) {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    // Without the permission the codes can still be marked by hand.
    navigator.clipboard?.writeText(codes.join('\n')).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <Notice tone="good" title="These codes are shown this once.">
      <span>Only their hashes are kept. Copy them now.</span>
      <textarea className="input mono codes" aria-label="Codes" readOnly rows={Math.min(8, codes.length)} value={codes.join('\n')} />
      <Button onClick={copy}>{copied ? 'Copied' : 'Copy'}</Button>
    </Notice>
  );
}
