    and submission.worker_id = (select id from worker where alias = cast($3 as text))
