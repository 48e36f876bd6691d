select id, name, price_cents, scenario_count, hours, level, policy from tier where campaign_id = $1 order by id
