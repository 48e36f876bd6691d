insert into payout (id, ledger_id, worker_id, assignment_id, submission_id, stage, amount_cents, currency, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
