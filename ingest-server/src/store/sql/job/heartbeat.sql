update job
set lease_until = $3, progress = coalesce(cast($4 as text), progress), updated_at = $5
where id = $1 and lease_token = $2 and stage = 'leased'
