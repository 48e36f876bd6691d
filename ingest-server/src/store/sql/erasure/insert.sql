insert into erasure (id, worker_id, asked_at, due_at, takes, bytes) values ($1, $2, $3, $4, $5, $6)
