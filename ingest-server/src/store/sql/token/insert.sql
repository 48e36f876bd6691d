insert into token (id, secret_sha256, role, name, worker_id, device_id, created_at)
values ($1, $2, $3, coalesce((select alias from worker where worker.id = cast($5 as text)), $4), cast($5 as text), cast($6 as text), $7)
