select worker_id from erasure where id = $1
