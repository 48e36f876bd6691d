select ledger.id, ledger.submission_id, ledger.amount_cents, ledger.currency, payout.amount_cents as payout_cents,
    payout.currency as payout_currency
from ledger
left join payout on payout.ledger_id = ledger.id
where ledger.kind = 'base'
    and (payout.id is null or payout.amount_cents <> ledger.amount_cents or payout.currency <> ledger.currency)
order by ledger.id limit 500
