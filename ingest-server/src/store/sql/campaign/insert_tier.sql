insert into tier (id, campaign_id, name, position, price_cents, scenario_count, hours, level, policy)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
