insert into upload (id, worker_id, stage, length_bytes, received_bytes, midstate, sha256, metadata, generation, expires_at, created_at, updated_at)
values ($1, $2, 'receiving', cast($3 as bigint), 0, $4, null, cast($5 as text), 0, $6, $7, $7)
