update invite set used_at = $2, worker_id = $3, device_id = $4 where id = $1 and used_at is null
