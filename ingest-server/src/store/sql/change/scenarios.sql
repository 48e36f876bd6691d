select id, goal, constraints, tiers from scenario where campaign_id = $1 order by position
