select id, assignment_id, submission_id, stage, amount_cents, currency, created_at
from payout
where submission_id = $1
