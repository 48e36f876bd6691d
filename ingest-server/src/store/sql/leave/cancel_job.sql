update job
set stage = 'cancelled', lease_token = null, lease_until = null, updated_at = $2
where id = $1 and stage in ('queued', 'leased', 'dead')
