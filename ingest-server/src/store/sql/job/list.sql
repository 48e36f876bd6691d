select id, kind, stage, submission_id, attempt, worker, last_error, updated_at
from job
where cast($1 as text) is null or id > cast($1 as text)
order by id
limit $2
