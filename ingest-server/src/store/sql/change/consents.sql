select id, version, accepted_at, withdrawn_at from consent where worker_id = $1 order by received_at, id
