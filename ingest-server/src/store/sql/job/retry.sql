update job
set stage = 'queued', max_attempts = attempt + $3, run_at = $2, updated_at = $2
where id = $1 and stage = 'dead'
