insert into ledger (id, kind, worker_id, campaign_id, assignment_id, submission_id, amount_cents, currency, idempotency_key, created_at)
values ($1, 'base', $2, $3, $4, $5, $6, $7, $8, $9)
