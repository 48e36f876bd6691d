select id from submission where campaign_id = $1 and stage = 'withdrawn' order by id
