update job
set stage = 'queued', attempt = 0, run_at = $2, updated_at = $2
where id = $1 and stage = 'dead'
