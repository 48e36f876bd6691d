update consent set withdrawn_at = $2 where worker_id = $1 and withdrawn_at is null
