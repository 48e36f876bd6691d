insert into payout (id, ledger_id, worker_id, assignment_id, submission_id, stage, amount_cents, currency, created_at, updated_at)
select $1, ledger.id, ledger.worker_id, ledger.assignment_id, ledger.submission_id, $3, ledger.amount_cents, ledger.currency,
    cast($4 as bigint), cast($4 as bigint)
from ledger
where ledger.id = $2 and not exists (select 1 from payout where payout.ledger_id = ledger.id)
