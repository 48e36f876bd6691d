select id, kind, stage, submission_id, attempt, max_attempts, run_at, worker, last_error, updated_at
from job
where id > coalesce(cast($1 as text), '')
order by id
limit $2
