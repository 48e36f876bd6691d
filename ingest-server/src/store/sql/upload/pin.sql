update upload
set updated_at = $3, generation = generation + 1
where id = $1 and worker_id = $2 and stage = 'ready'
