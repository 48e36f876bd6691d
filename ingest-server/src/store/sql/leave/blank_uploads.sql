update upload set metadata = null, sha256 = null, midstate = '' where worker_id = $1 and stage in ('terminated', 'expired', 'failed')
