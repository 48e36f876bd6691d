select id from submission where worker_id = $1 order by id
