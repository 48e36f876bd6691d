select id, device_id, created_at, revoked_at from token where worker_id = $1 order by created_at, id
