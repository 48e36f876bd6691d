update token set name = 'erased', device_id = null, revoked_at = coalesce(revoked_at, $2) where worker_id = $1
