select worker_id from erasure where done_at is null order by asked_at, id limit 200
