select id, assignment_id, submission_id, stage, amount_cents, currency, created_at from payout where worker_id = $1 order by id
