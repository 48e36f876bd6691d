select ledger.id, ledger.kind, ledger.amount_cents, ledger.currency, ledger.reverses_id
from submission
join ledger on ledger.idempotency_key = 'base:' || submission.assignment_id
where submission.id = $1
