update erasure set done_at = $2 where worker_id = $1 and done_at is null
