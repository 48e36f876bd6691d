update job
set stage = $3, run_at = $4, last_error = coalesce(cast($5 as text), last_error), result = coalesce(cast($6 as text), result), updated_at = $7
where id = $1 and lease_token = $2 and stage = 'leased'
