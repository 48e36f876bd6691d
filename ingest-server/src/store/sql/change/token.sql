select role, worker_id, created_at, revoked_at from token where id = $1
