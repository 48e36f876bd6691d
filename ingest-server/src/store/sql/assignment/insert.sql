insert into assignment (id, campaign_id, tier_id, scenario_id, worker_id, stage, pay_cents, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
