select id, role, name, worker_id, revoked_at from token where secret_sha256 = $1
