update upload
set stage = $4, updated_at = $5, generation = generation + 1
where id = $1 and generation = $2 and stage = $3
