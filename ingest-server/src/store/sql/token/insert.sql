insert into token (id, secret_sha256, role, name, worker_id, device_id, created_at) values ($1, $2, $3, $4, $5, $6, $7)
