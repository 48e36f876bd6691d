insert into scenario (id, campaign_id, position, goal, constraints, tiers) values ($1, $2, $3, $4, $5, $6)
