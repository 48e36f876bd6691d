select id, campaign_id, goal, constraints, tiers from scenario
where id > coalesce(cast($1 as text), '')
order by id limit $2
