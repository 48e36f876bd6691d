insert into invite (id, code_sha256, campaign_id, tier_id, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)
