update job
set stage = 'queued', attempt = attempt - 1, run_at = $3, updated_at = $4
where id = $1 and lease_token = $2 and stage = 'leased'
