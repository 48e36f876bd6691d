select id, assignment_id, submission_id, stage, amount_cents, currency, created_at
from payout
where id > coalesce(cast($1 as text), '')
order by id
limit $2
