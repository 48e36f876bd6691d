select id, campaign_id, goal, constraints, tiers from scenario
where cast($1 as text) is null or id > cast($1 as text)
order by id limit $2
