import { payouts } from '../../api/admin';
import type { PayoutStage } from '../../api/types/PayoutStage';
import type { PayoutView } from '../../api/types/PayoutView';
import { formatMoney, formatWhen, words } from '../../shared/format';
import { Chip, type Tone } from '../../shared/parts';
import { Link } from '../../shared/router';
import { type Column, Listing, ListPage, NoItems } from './Listing';

const TONES: Record<PayoutStage, Tone> = {
  accrued: 'info',
  approved: 'info',
  batched: 'info',
  sent: 'info',
  confirmed: 'good',
  held: 'warn',
  void: 'plain',
};

const COLUMNS: ReadonlyArray<Column<PayoutView>> = [
  {
    name: 'For the take',
    cell: (payout) => (
      <Link href={`/admin/submissions/${payout.submission_id}`} className="mono">
        {payout.submission_id}
      </Link>
    ),
  },
  { name: 'Stage', cell: (payout) => <Chip tone={TONES[payout.stage]}>{words(payout.stage)}</Chip> },
  { name: 'Made', cell: (payout) => <span className="muted">{formatWhen(payout.created_at)}</span> },
  { name: 'Amount', end: true, cell: ({ amount }) => formatMoney(amount.amount_cents, amount.currency) },
];

export function Payouts() {
  return (
    <ListPage title="Payouts" about="What is owed for accepted takes. The money itself moves on the gig market.">
      <Listing
        name="payouts"
        load={payouts}
        columns={COLUMNS}
        keyOf={(payout) => payout.id}
        loading="Loading the payouts"
        empty={
          <NoItems title="Nothing is owed yet">
            <span>Accepting a take makes a payout here.</span>
          </NoItems>
        }
      />
    </ListPage>
  );
}
