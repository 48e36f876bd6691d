update token set revoked_at = $3 where worker_id = $1 and device_id = $2 and revoked_at is null
