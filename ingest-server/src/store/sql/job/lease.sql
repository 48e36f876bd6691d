update job
set stage = 'leased', attempt = attempt + 1, lease_token = $2, lease_until = $3, worker = $4, updated_at = $5
where id = $1 and stage = 'queued'
