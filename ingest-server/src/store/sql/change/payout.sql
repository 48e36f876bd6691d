select id, stage, amount_cents, currency from payout where submission_id = $1 order by id
