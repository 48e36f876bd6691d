select id, campaign_id, name, price_cents, scenario_count, hours, level, policy from tier
where id > coalesce(cast($1 as text), '')
order by id limit $2
