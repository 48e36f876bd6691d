update assignment
set stage = $4, updated_at = $5
where id = $1 and worker_id = $2 and stage = $3
