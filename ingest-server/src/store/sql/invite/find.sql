select id, campaign_id, tier_id, worker_id, device_id, expires_at, used_at from invite where code_sha256 = $1
